-- What people said of the touched items: `was` what counted before the new rows, `stands` what
-- counts with them.
CREATE OR REPLACE TEMP TABLE votes AS
SELECT
    a.seq, a.project_id, a.item_id, a.person_id, a.kind, coalesce(n.today, a.label) AS label,
    a.prelabel_shown AS shown, CASE WHEN a.kind = 'vote' THEN a.pace_bin END AS bin,
    a.seq <= $annotations AS was,
    a.revision = max(a.revision) OVER (PARTITION BY a.item_id, a.person_id) AS stands
FROM annotations a
LEFT JOIN label_names n ON n.project_id = a.project_id AND n.name = a.label
WHERE NOT a.superseded AND a.item_id IN (SELECT item_id FROM touched);
