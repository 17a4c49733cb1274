-- How often live votes say each class where the pre-label in force said it, shown and blind; by person.
SELECT
    coalesce(n.today, p.label) AS label, l.person_id AS who, l.prelabel_shown AS shown,
    count(*) AS n, count(*) FILTER (l.label = coalesce(n.today, p.label)) AS same
FROM live_votes l
JOIN predictions p ON p.seq = l.prediction_seq
LEFT JOIN label_names n ON n.project_id = $project AND n.name = p.label
WHERE l.project_id = $project AND l.label IS NOT NULL AND p.label IS NOT NULL
  AND (len($people) = 0 OR list_contains($people, l.person_id))
  AND ($since IS NULL OR l."at" >= $since)
  AND ($until IS NULL OR l."at" < $until)
  AND ((len($uses) = 0 AND len($keys) = 0)
       OR l.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
GROUP BY ALL
ORDER BY ALL;
