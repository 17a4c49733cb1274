-- By week of an item's newest live vote: what its votes said (classes in order, with repeats), and
-- on how many items. Weeks begin on Monday in the time zone asked for.
WITH voted AS (
    SELECT item_id, list_sort(list(label)) AS said, max("at") AS newest
    FROM live_votes
    WHERE project_id = $project
      AND label IS NOT NULL
      AND (len($people) = 0 OR list_contains($people, person_id))
      AND NOT ($blind_only AND prelabel_shown)
      AND ($since IS NULL OR "at" >= $since)
      AND ($until IS NULL OR "at" < $until)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
    GROUP BY item_id
    HAVING count(*) > 1
)
SELECT
    CAST(date_trunc('week', timezone($tz, to_timestamp(newest))) AS DATE) AS week,
    said, count(*) AS items
FROM voted
GROUP BY ALL
ORDER BY ALL;
