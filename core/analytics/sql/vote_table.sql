-- Every live vote: item, person, class, and whether the pre-label was seen.
SELECT v.item_id, v.person_id, v.label, v.prelabel_shown
FROM live_votes v
WHERE v.project_id = $project
  AND v.label IS NOT NULL
  AND (len($people) = 0 OR list_contains($people, v.person_id))
  AND NOT ($blind_only AND v.prelabel_shown)
  AND ($since IS NULL OR v."at" >= $since)
  AND ($until IS NULL OR v."at" < $until)
  AND ($guideline IS NULL OR v.guideline_version = $guideline)
  AND ($called = '' OR v.item_id IN (
      SELECT item_id FROM live_votes WHERE project_id = $project AND label = $called
  ))
  AND ((len($uses) = 0 AND len($keys) = 0)
       OR v.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
ORDER BY v.item_id, v.person_id;
