-- Every live vote under a filter, whatever it says: its row in the record, for what is read there.
SELECT v.item_id, v.person_id, v.seq
FROM live_votes v
WHERE v.project_id = $project
  AND (len($people) = 0 OR list_contains($people, v.person_id))
  AND NOT ($blind_only AND v.prelabel_shown)
  AND ($since IS NULL OR v."at" >= $since)
  AND ($until IS NULL OR v."at" < $until)
  AND ($guideline IS NULL OR v.guideline_version = $guideline)
  AND ($called = '' OR v.item_id IN (
      SELECT item_id FROM live_votes WHERE project_id = $project AND label = $called
      UNION ALL
      SELECT l.item_id
      FROM live_votes l
      JOIN regions r ON r.said_in = 'annotations' AND r.seq = l.seq
      LEFT JOIN label_names n ON n.project_id = $project AND n.name = r.label
      WHERE l.project_id = $project AND coalesce(n.today, r.label) = $called
  ))
  AND ((len($uses) = 0 AND len($keys) = 0)
       OR v.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
ORDER BY v.item_id, v.person_id;
