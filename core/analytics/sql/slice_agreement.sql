-- Every vote on an item that others voted on too: how many of the others' votes say the same.
WITH chosen AS (
    SELECT item_id, person_id, label, "at", prelabel_shown, guideline_version
    FROM live_votes
    WHERE project_id = $project AND label IS NOT NULL
      AND (len($people) = 0 OR list_contains($people, person_id))
      AND NOT ($blind_only AND prelabel_shown)
      AND ($since IS NULL OR "at" >= $since)
      AND ($until IS NULL OR "at" < $until)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
)
SELECT
    item_id, person_id AS who, "at", prelabel_shown, guideline_version,
    count(*) OVER (PARTITION BY item_id) - 1 AS others,
    count(*) OVER (PARTITION BY item_id, label) - 1 AS same
FROM chosen
QUALIFY count(*) OVER (PARTITION BY item_id) > 1
ORDER BY item_id, who;
