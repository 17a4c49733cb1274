-- Labels in force of items with a known answer, by that answer: how many are wrong. Imported labels
-- stay in: they are final labels too.
SELECT t.label AS truth, count(*) AS n, count(*) FILTER (f.label <> t.label) AS wrong
FROM truths($project, 'gold') t
JOIN truths($project, 'final') f ON f.item_id = t.item_id
WHERE t.label IS NOT NULL AND f.label IS NOT NULL
  AND ((len($uses) = 0 AND len($keys) = 0)
       OR t.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
GROUP BY ALL
ORDER BY ALL;
