-- The same as votes.sql from all that was ever said of the touched items, looked up in the record.
CREATE OR REPLACE TEMP TABLE votes AS
WITH placed AS (
    SELECT
        *, max(revision) OVER said AS newest,
        max(revision) FILTER (seq <= $annotations) OVER said AS before
    FROM spoken
    WINDOW said AS (PARTITION BY item_id, person_id)
)
SELECT
    a.seq, a.project_id, a.item_id, a.person_id, a.kind, coalesce(n.today, a.label) AS label,
    a.prelabel_shown AS shown, CASE WHEN a.kind = 'vote' THEN a.pace_bin END AS bin,
    a.seq <= $annotations AS was,
    a.revision = a.newest AS stands
FROM placed a
LEFT JOIN label_names n ON n.project_id = a.project_id AND n.name = a.label
WHERE a.seq > $annotations OR a.revision = a.before;
