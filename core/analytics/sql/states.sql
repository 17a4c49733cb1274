-- How many items stand in each state now.
SELECT coalesce(f.state, 'open') AS state, count(*) AS items
FROM items i
LEFT JOIN final f ON f.item_id = i.id
WHERE i.project_id = $project
GROUP BY ALL
ORDER BY state;
