-- Items that waited, unsettled, at a moment, the oldest first; or, with a state, those that are in it
-- since then or longer.
SELECT
    i.id AS item_id, NULL AS who, NULL AS said, NULL AS truth, NULL AS seconds, NULL AS confidence,
    count(*) OVER () AS total
FROM items i
LEFT JOIN final f ON f.item_id = i.id
WHERE i.project_id = $project
  AND i."at" < $moment
  AND CASE WHEN $state = '' THEN
               coalesce(f.state, 'open') IN ('open', 'dispute') OR coalesce(f.since, 0) >= $moment
           ELSE coalesce(f.state, 'open') = $state AND coalesce(f.since, i."at") < $moment END
ORDER BY i."at", i.id
LIMIT $most;
