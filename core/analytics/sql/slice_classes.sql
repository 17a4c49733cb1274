-- The class in force of each item, for figures that ask for no truth.
SELECT item_id, label
FROM truths($project, 'final')
WHERE label IS NOT NULL
ORDER BY item_id;
