-- Timed answers by hour since the start of a sitting and by hour of the day. A sitting ends with a
-- pause of `pause` seconds. Accuracy is of live votes whose truth does not rest on them.
WITH done AS (
    SELECT
        seq, person_id, kind, active_seconds AS seconds, "at",
        "at" - lag("at") OVER (PARTITION BY person_id ORDER BY "at", seq) > $pause AS is_new
    FROM annotations
    WHERE project_id = $project AND batch_id IS NULL AND active_seconds > 0
      AND kind IN ('vote', 'skip', 'flag')
),
numbered AS (
    SELECT
        *, count(*) FILTER (is_new) OVER (PARTITION BY person_id ORDER BY "at", seq) AS sitting
    FROM done
),
placed AS (
    SELECT
        *,
        CAST(floor(("at" - min("at" - seconds) OVER (PARTITION BY person_id, sitting)) / 3600) AS BIGINT) AS since,
        CAST(date_part('hour', timezone($tz, to_timestamp("at"))) AS BIGINT) AS hour,
        CAST(timezone($tz, to_timestamp("at")) AS DATE) AS day
    FROM numbered
),
judged AS (
    SELECT said_seq, said = truth AS is_right
    FROM pairs(
        $project, 'people', $people, $against, NULL, $blind_only, $since, $until, $uses, $keys, $vals
    )
    WHERE NOT own AND truth IS NOT NULL AND said IS NOT NULL
),
chosen AS (
    SELECT p.*, j.is_right
    FROM placed p
    JOIN annotations a ON a.seq = p.seq
    LEFT JOIN judged j ON j.said_seq = p.seq
    WHERE (len($people) = 0 OR list_contains($people, p.person_id))
      AND ($since IS NULL OR p."at" >= $since)
      AND ($until IS NULL OR p."at" < $until)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR a.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
)
SELECT
    k.what, CASE WHEN k.what = 'sitting' THEN least(since, $most) ELSE hour END AS hour,
    person_id, day,
    count(*) AS answers, sum(seconds) AS seconds,
    count(is_right) AS judged, count(*) FILTER (is_right) AS correct
FROM chosen
CROSS JOIN (SELECT unnest(['sitting', 'day']) AS what) k
GROUP BY ALL
ORDER BY ALL;
