-- By week of an item's newest live vote: what its votes said (classes in order, with repeats), and
-- on how many items. Weeks begin on Monday in the time zone asked for; clocks change on quarter hours,
-- so each quarter hour is converted once. Classes are numbers until they are told.
WITH names AS (
    SELECT label, row_number() OVER (ORDER BY label)::INTEGER AS code
    FROM (SELECT DISTINCT label FROM live_votes WHERE project_id = $project AND label IS NOT NULL)
),
voted AS (
    SELECT v.item_id, list_sort(list(n.code)) AS said, max(v."at") AS newest
    FROM live_votes v
    JOIN names n ON n.label = v.label
    WHERE v.project_id = $project
      AND (len($people) = 0 OR list_contains($people, v.person_id))
      AND NOT ($blind_only AND v.prelabel_shown)
      AND ($since IS NULL OR v."at" >= $since)
      AND ($until IS NULL OR v."at" < $until)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR v.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
    GROUP BY v.item_id
    HAVING count(*) > 1
),
added AS (
    SELECT said, CAST(floor(newest / 900) AS BIGINT) AS quarter, count(*) AS items
    FROM voted
    GROUP BY said, quarter
),
weeks AS (
    SELECT
        CAST(date_trunc('week', timezone($tz, to_timestamp(quarter * 900.0))) AS DATE) AS week,
        said, sum(items)::BIGINT AS items
    FROM added
    GROUP BY week, said
)
SELECT week, list_transform(said, lambda code: called.names[code]) AS said, items
FROM weeks, (SELECT list(label ORDER BY label) AS names FROM names) called
ORDER BY ALL;
