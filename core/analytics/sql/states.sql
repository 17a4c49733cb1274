-- How many items stand in each state now.
SELECT state, sum(change)::BIGINT AS items
FROM state_moves
WHERE project_id = $project
GROUP BY state
HAVING sum(change) <> 0
ORDER BY state;
