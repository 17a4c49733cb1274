-- Timed answers by hour since the start of a sitting and by hour of the day. A sitting ends with a
-- pause of `pause` seconds, more than a quarter hour, so that it is told from the first and the last
-- answer of each. Accuracy is of live votes whose truth does not rest on them. Clocks change on
-- quarter hours, so each quarter hour is converted once.
WITH done AS NOT MATERIALIZED (
    SELECT *, active_seconds AS seconds, CAST(floor("at" / 900) AS BIGINT) AS quarter
    FROM annotations
    WHERE project_id = $project AND batch_id IS NULL AND active_seconds > 0
      AND kind IN ('vote', 'skip', 'flag')
      AND (len($people) = 0 OR list_contains($people, person_id))
),
quarters AS (
    SELECT person_id, quarter, min("at") AS first, max("at") AS last, min("at" - seconds) AS begun
    FROM done
    GROUP BY ALL
),
opened AS (
    SELECT *, first - lag(last) OVER (PARTITION BY person_id ORDER BY quarter) > $pause AS is_new
    FROM quarters
),
numbered AS (
    SELECT
        person_id, quarter, begun,
        count(*) FILTER (is_new) OVER (PARTITION BY person_id ORDER BY quarter) AS sitting
    FROM opened
),
days AS (
    SELECT
        quarter,
        CAST(date_part('hour', timezone($tz, to_timestamp(quarter * 900.0))) AS BIGINT) AS hour,
        CAST(timezone($tz, to_timestamp(quarter * 900.0)) AS DATE) AS day
    FROM (SELECT DISTINCT quarter FROM quarters)
),
placed AS MATERIALIZED (
    SELECT n.person_id, n.quarter, s.since, d.hour, d.day
    FROM numbered n
    JOIN (SELECT person_id, sitting, min(begun) AS since FROM numbered GROUP BY ALL) s
      ON s.person_id = n.person_id AND s.sitting = n.sitting
    JOIN days d ON d.quarter = n.quarter
),
chosen AS (
    SELECT
        d.person_id, b.day, b.hour, d.seconds,
        greatest(0, least(CAST(floor((d."at" - b.since) / 3600) AS BIGINT), $most)) AS since,
        CASE
            WHEN d.kind = 'vote' AND NOT d.superseded AND NOT ($blind_only AND d.prelabel_shown)
                 AND NOT list_contains(t.rests_on, d.person_id)
            THEN coalesce(n.today, d.label) = t.label
        END AS is_right
    FROM done d
    JOIN placed b ON b.person_id = d.person_id AND b.quarter = d.quarter
    LEFT JOIN truths($project, $against) t ON t.item_id = d.item_id
    LEFT JOIN label_names n ON n.project_id = $project AND n.name = d.label
    WHERE ($since IS NULL OR d."at" >= $since)
      AND ($until IS NULL OR d."at" < $until)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR d.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
),
added AS (
    SELECT
        person_id, day, hour, since, count(*) AS answers, sum(seconds) AS seconds,
        count(is_right) AS judged, count(*) FILTER (is_right) AS correct
    FROM chosen
    GROUP BY ALL
)
SELECT
    k.what, CASE WHEN k.what = 'sitting' THEN a.since ELSE a.hour END AS hour, a.person_id, a.day,
    sum(a.answers)::BIGINT AS answers, sum(a.seconds) AS seconds,
    sum(a.judged)::BIGINT AS judged, sum(a.correct)::BIGINT AS correct
FROM added a
CROSS JOIN (SELECT unnest(['sitting', 'day']) AS what) k
GROUP BY ALL
ORDER BY ALL;
