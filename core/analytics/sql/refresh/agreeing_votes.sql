-- The votes with a label on the touched items, read once without being kept.
WITH revised AS (
    SELECT item_id, person_id, max(revision) AS revision
    FROM annotations
    WHERE seq > $annotations AND revision > 1
    GROUP BY ALL
)
SELECT
    a.project_id, a.item_id, a.person_id, coalesce(n.today, a.label) AS label,
    a.seq <= $annotations AS was, r.revision IS NULL OR a.revision >= r.revision AS stands
FROM annotations a
LEFT JOIN revised r ON r.item_id = a.item_id AND r.person_id = a.person_id
LEFT JOIN label_names n ON n.project_id = a.project_id AND n.name = a.label
WHERE NOT a.superseded AND a.kind = 'vote' AND a.label IS NOT NULL
  AND a.item_id IN (SELECT item_id FROM touched)
