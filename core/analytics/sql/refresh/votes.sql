-- What people said of the touched items: `was` what counted before the new rows, `stands` what
-- counts with them. Only a later revision takes back what the same person said. Where nothing but
-- votes is new, `changed` alone will do: what was said before and still stands adds nothing.
CREATE OR REPLACE TEMP TABLE votes AS
WITH revised AS (
    SELECT item_id, person_id, max(revision) AS revision
    FROM annotations
    WHERE seq > $annotations AND revision > 1
    GROUP BY ALL
)
SELECT
    a.seq, a.project_id, a.item_id, a.person_id, a.kind, coalesce(n.today, a.label) AS label,
    a.prelabel_shown AS shown, CASE WHEN a.kind = 'vote' THEN a.pace_bin END AS bin,
    a.seq <= $annotations AS was,
    r.revision IS NULL OR a.revision >= r.revision AS stands
FROM annotations a
LEFT JOIN revised r ON r.item_id = a.item_id AND r.person_id = a.person_id
LEFT JOIN label_names n ON n.project_id = a.project_id AND n.name = a.label
WHERE NOT a.superseded AND a.item_id IN (SELECT item_id FROM touched)
  AND (NOT $changed OR a.seq > $annotations OR r.revision IS NOT NULL);
