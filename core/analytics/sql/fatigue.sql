-- Timed answers by hour since the start of a sitting and by hour of the day. A sitting ends with a
-- pause of `pause` seconds. Accuracy is of live votes whose truth does not rest on them. Clocks
-- change on quarter hours, so each quarter hour is converted once.
WITH done AS (
    SELECT
        seq, item_id, person_id, active_seconds AS seconds, "at",
        CAST(floor("at" / 900) AS BIGINT) AS quarter,
        "at" - lag("at") OVER (PARTITION BY person_id ORDER BY "at", seq) > $pause AS is_new
    FROM annotations
    WHERE project_id = $project AND batch_id IS NULL AND active_seconds > 0
      AND kind IN ('vote', 'skip', 'flag')
),
starts AS (
    SELECT person_id, "at" AS start FROM done WHERE is_new IS NOT FALSE
),
placed AS (
    SELECT d.* EXCLUDE (is_new), s.start
    FROM done d
    ASOF JOIN starts s ON s.person_id = d.person_id AND d."at" >= s.start
),
begun AS (
    SELECT person_id, start, min("at" - seconds) AS since FROM placed GROUP BY ALL
),
judged AS (
    SELECT said_seq, said = truth AS is_right
    FROM pairs(
        $project, 'people', $people, $against, NULL, $blind_only, $since, $until, $uses, $keys, $vals
    )
    WHERE NOT own AND truth IS NOT NULL AND said IS NOT NULL
),
chosen AS (
    SELECT
        p.person_id, p.quarter, p.seconds, j.is_right,
        least(CAST(floor((p."at" - b.since) / 3600) AS BIGINT), $most) AS since
    FROM placed p
    JOIN begun b ON b.person_id = p.person_id AND b.start = p.start
    LEFT JOIN judged j ON j.said_seq = p.seq
    WHERE (len($people) = 0 OR list_contains($people, p.person_id))
      AND ($since IS NULL OR p."at" >= $since)
      AND ($until IS NULL OR p."at" < $until)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR p.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
),
-- Added up by quarter hour first: few rows are left to be told apart by day and hour.
added AS (
    SELECT
        person_id, quarter, since, count(*) AS answers, sum(seconds) AS seconds,
        count(is_right) AS judged, count(*) FILTER (is_right) AS correct
    FROM chosen
    GROUP BY ALL
),
days AS (
    SELECT
        quarter,
        CAST(date_part('hour', timezone($tz, to_timestamp(quarter * 900.0))) AS BIGINT) AS hour,
        CAST(timezone($tz, to_timestamp(quarter * 900.0)) AS DATE) AS day
    FROM (SELECT DISTINCT quarter FROM added)
)
SELECT
    k.what, CASE WHEN k.what = 'sitting' THEN a.since ELSE d.hour END AS hour, a.person_id, d.day,
    sum(a.answers)::BIGINT AS answers, sum(a.seconds) AS seconds,
    sum(a.judged)::BIGINT AS judged, sum(a.correct)::BIGINT AS correct
FROM added a
JOIN days d ON d.quarter = a.quarter
CROSS JOIN (SELECT unnest(['sitting', 'day']) AS what) k
GROUP BY ALL
ORDER BY ALL;
