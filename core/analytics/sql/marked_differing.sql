-- Items whose live votes differ, those with most different votes first; `since` and `until` say when
-- the newest vote was given, `called` that somebody says this class, `one` that this person voted.
WITH voted AS (
    SELECT
        item_id, max("at") AS newest, count(DISTINCT label) AS classes,
        string_agg(DISTINCT label, ' / ' ORDER BY label) AS said,
        bool_or(label = $called) AS is_called, bool_or(person_id = $one) AS is_ones
    FROM live_votes
    WHERE project_id = $project AND label IS NOT NULL
      AND (len($people) = 0 OR list_contains($people, person_id))
      AND NOT ($blind_only AND prelabel_shown)
      AND ($guideline IS NULL OR guideline_version = $guideline)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
    GROUP BY item_id
    HAVING count(DISTINCT label) > 1
)
SELECT
    item_id, NULL AS who, said, NULL AS truth, NULL AS seconds, NULL AS confidence,
    count(*) OVER () AS total
FROM voted
WHERE ($since IS NULL OR newest >= $since)
  AND ($until IS NULL OR newest < $until)
  AND ($called = '' OR is_called)
  AND ($one IS NULL OR is_ones)
ORDER BY classes DESC, newest DESC, item_id
LIMIT $most;
