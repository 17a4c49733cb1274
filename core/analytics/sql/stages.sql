-- How long items have waited where they stand: for a first vote, for a further one, for a lead; and
-- since they came in. The ends of the median's 95 % interval are order statistics, as in durations.sql.
WITH votes AS (
    SELECT item_id, count(*) AS n, max("at") AS last
    FROM live_votes
    WHERE project_id = $project
    GROUP BY item_id
),
unsettled AS (
    SELECT
        i.id,
        CASE WHEN f.state = 'dispute' THEN 'lead' WHEN v.n > 0 THEN 'further' ELSE 'first' END AS stage,
        i."at" AS came,
        CASE WHEN f.state = 'dispute' THEN f.since
             ELSE greatest(i."at", coalesce(f.since, i."at"), coalesce(v.last, i."at")) END AS since
    FROM items i
    LEFT JOIN final f ON f.item_id = i.id
    LEFT JOIN votes v ON v.item_id = i.id
    WHERE i.project_id = $project
      AND coalesce(f.state, 'open') IN ('open', 'dispute')
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR i.id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
),
waits AS (
    SELECT stage, greatest(0, $now - since) AS seconds FROM unsettled
    UNION ALL
    SELECT 'all', greatest(0, $now - came) FROM unsettled
),
ranked AS (
    SELECT
        stage, seconds,
        row_number() OVER (PARTITION BY stage ORDER BY seconds) AS place,
        count(*) OVER (PARTITION BY stage) AS n
    FROM waits
)
SELECT
    stage,
    any_value(n) AS n,
    median(seconds) AS middle,
    max(seconds) FILTER (place = greatest(1, floor(n / 2.0 - 0.98 * sqrt(n)))) AS low,
    max(seconds) FILTER (place = least(n, ceil(1 + n / 2.0 + 0.98 * sqrt(n)))) AS high,
    quantile_cont(seconds, 0.9) AS ninth,
    max(seconds) AS longest
FROM ranked
GROUP BY stage
ORDER BY stage;
