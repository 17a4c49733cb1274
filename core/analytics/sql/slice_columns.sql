-- Every metadata value of a project's items, column by column.
SELECT key, item_id, value, number
FROM item_values
WHERE project_id = $project
ORDER BY key, item_id;
