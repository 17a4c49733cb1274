-- The values of the metadata columns that group items: those with few enough, by column and value.
SELECT key, value, count(*) AS items
FROM item_values
WHERE project_id = $project
GROUP BY key, value
QUALIFY count(*) OVER (PARTITION BY key) BETWEEN 2 AND $most
ORDER BY key, value;
