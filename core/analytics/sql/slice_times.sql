-- How long each vote took, in active seconds; votes given in bulk or brought by file are left out.
SELECT item_id, person_id AS who, "at", prelabel_shown, guideline_version, active_seconds AS seconds
FROM annotations
WHERE project_id = $project AND batch_id IS NULL AND kind = 'vote' AND active_seconds > 0
  AND (len($people) = 0 OR list_contains($people, person_id))
  AND NOT ($blind_only AND prelabel_shown)
  AND ($since IS NULL OR "at" >= $since)
  AND ($until IS NULL OR "at" < $until)
  AND ((len($uses) = 0 AND len($keys) = 0)
       OR item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
ORDER BY item_id, who, seq;
