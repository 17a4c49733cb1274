-- Live votes on items whose label is known, by gold or else by a lead's ruling: how many of an item
-- are right, those given with the pre-label in view apart.
WITH gold_labels AS (SELECT item_id, label FROM truths($project, 'gold') WHERE label IS NOT NULL),
known AS (
    FROM gold_labels
    UNION ALL
    SELECT t.item_id, t.label
    FROM truths($project, 'adjudicated') t
    ANTI JOIN gold_labels g ON g.item_id = t.item_id
    WHERE t.label IS NOT NULL
)
SELECT
    v.item_id, v.prelabel_shown AS shown, count(*) AS n, count(*) FILTER (v.label = k.label) AS correct
FROM live_votes v
JOIN known k ON k.item_id = v.item_id
WHERE v.project_id = $project
GROUP BY v.item_id, v.prelabel_shown
ORDER BY v.item_id, v.prelabel_shown;
