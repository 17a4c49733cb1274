-- The time people spent on each item that stands in one of some states; 0 where none was measured.
WITH spent AS (
    SELECT item_id, sum(active_seconds) AS seconds
    FROM annotations
    WHERE project_id = $project AND active_seconds > 0
    GROUP BY item_id
)
SELECT f.item_id, coalesce(s.seconds, 0) AS seconds
FROM final f
LEFT JOIN spent s ON s.item_id = f.item_id
WHERE f.project_id = $project AND list_contains($states, f.state)
ORDER BY f.item_id;
