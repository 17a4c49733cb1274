-- Every metadata column of a project: items that have it, different values, share of numbers.
SELECT key, count(*) AS items, count(DISTINCT value) AS values, count(number) AS numbers
FROM item_values
WHERE project_id = $project
GROUP BY key
ORDER BY key;
