-- How many said what of each item: the live votes, the latest prediction, or the label in force.
SELECT s.item_id, s.label, count(*) AS n
FROM (
    SELECT item_id, label
    FROM statements(
        $project, $whose, $people, $prediction_set, $blind_only, $since, $until
    )
    WHERE $whose <> 'labels'
    UNION ALL
    SELECT item_id, label FROM truths($project, 'final') WHERE $whose = 'labels'
) s
WHERE s.label IS NOT NULL
  AND ((len($uses) = 0 AND len($keys) = 0)
       OR s.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
GROUP BY ALL
ORDER BY ALL;
