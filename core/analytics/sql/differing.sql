-- The items two people call differently, under a filter; newest vote first.
WITH votes AS (
    SELECT item_id, person_id, label, "at"
    FROM live_votes
    WHERE project_id = $project
      AND label IS NOT NULL
      AND person_id IN ($first, $second)
      AND NOT ($blind_only AND prelabel_shown)
      AND ($since IS NULL OR "at" >= $since)
      AND ($until IS NULL OR "at" < $until)
      AND ($guideline IS NULL OR guideline_version = $guideline)
)
SELECT a.item_id, a.label AS first_said, b.label AS second_said
FROM votes a
JOIN votes b ON b.item_id = a.item_id AND b.person_id = $second
WHERE a.person_id = $first
  AND a.label <> b.label
  AND ($called = '' OR a.item_id IN (
      SELECT item_id FROM live_votes WHERE project_id = $project AND label = $called
  ))
  AND ((len($uses) = 0 AND len($keys) = 0)
       OR a.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
ORDER BY greatest(a."at", b."at") DESC, a.item_id
LIMIT $most;
