-- Items that entered or left each state, by day in the time zone asked for. An item enters as
-- open when it is taken in; the state of a day is the last of that day.
WITH events AS (
    SELECT id AS item_id, 0 AS seq, 'open' AS state, "at" FROM items WHERE project_id = $project
    UNION ALL
    SELECT item_id, seq, state, "at" FROM final_labels WHERE project_id = $project
),
days AS (
    SELECT quarter, CAST(timezone($tz, to_timestamp(quarter * 900.0)) AS DATE) AS day
    FROM (SELECT DISTINCT CAST(floor("at" / 900) AS BIGINT) AS quarter FROM events)
),
daily AS (
    SELECT e.item_id, d.day, arg_max(e.state, e.seq) AS state
    FROM events e
    JOIN days d ON d.quarter = CAST(floor(e."at" / 900) AS BIGINT)
    GROUP BY ALL
),
moves AS (
    SELECT day, state, lag(state) OVER (PARTITION BY item_id ORDER BY day) AS before FROM daily
)
SELECT day, state, sum(change) AS change
FROM (
    SELECT day, state, 1 AS change FROM moves WHERE state IS DISTINCT FROM before
    UNION ALL
    SELECT day, before, -1 FROM moves WHERE before IS NOT NULL AND state IS DISTINCT FROM before
)
GROUP BY ALL
HAVING sum(change) <> 0
ORDER BY day, state;
