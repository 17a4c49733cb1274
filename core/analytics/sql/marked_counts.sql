-- Items on which people draw different numbers of regions, of a class or of any, those furthest apart
-- first; `since` and `until` say when the newest vote was given.
WITH voted AS (
    SELECT item_id, person_id, seq, "at"
    FROM live_votes
    WHERE project_id = $project
      AND (len($people) = 0 OR list_contains($people, person_id))
      AND NOT ($blind_only AND prelabel_shown)
      AND ($guideline IS NULL OR guideline_version = $guideline)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
),
drawn AS (
    SELECT v.item_id, v.person_id, any_value(v."at") AS "at", count(r.seq) AS n
    FROM voted v
    LEFT JOIN (
        SELECT r.seq, coalesce(n.today, r.label) AS label
        FROM regions r
        LEFT JOIN label_names n ON n.project_id = $project AND n.name = r.label
        WHERE r.said_in = 'annotations'
    ) r ON r.seq = v.seq AND ($called = '' OR r.label = $called)
    GROUP BY v.item_id, v.person_id
),
apart AS (
    SELECT item_id, max("at") AS newest, max(n) - min(n) AS apart, list_sort(list(n)) AS counts
    FROM drawn
    GROUP BY item_id
    HAVING max(n) <> min(n) AND ($one IS NULL OR bool_or(person_id = $one))
)
SELECT
    item_id, NULL AS who, array_to_string(counts, ' / ') AS said, NULL AS truth, NULL AS seconds,
    NULL AS confidence, count(*) OVER () AS total
FROM apart
WHERE ($since IS NULL OR newest >= $since) AND ($until IS NULL OR newest < $until)
ORDER BY apart DESC, newest DESC, item_id
LIMIT $most;
