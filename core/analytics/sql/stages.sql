-- How long items have waited where they stand: for a first vote, for a further one, for a lead; and
-- since they came in. The ends of the median's 95 % interval are order statistics, as in durations.sql.
WITH waiting AS MATERIALIZED (
    SELECT i.id, i."at" AS came, f.state, f.since
    FROM items i
    LEFT JOIN final f ON f.item_id = i.id
    WHERE i.project_id = $project
      AND coalesce(f.state, 'open') IN ('open', 'dispute')
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR i.id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
),
votes AS (
    SELECT item_id, count(*) AS n, max("at") AS last
    FROM live_votes
    SEMI JOIN waiting ON waiting.id = live_votes.item_id
    WHERE project_id = $project
    GROUP BY item_id
),
unsettled AS (
    SELECT
        w.id,
        CASE WHEN w.state = 'dispute' THEN 'lead' WHEN v.n > 0 THEN 'further' ELSE 'first' END AS stage,
        w.came,
        CASE WHEN w.state = 'dispute' THEN w.since
             ELSE greatest(w.came, coalesce(w.since, w.came), coalesce(v.last, w.came)) END AS since
    FROM waiting w
    LEFT JOIN votes v ON v.item_id = w.id
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
