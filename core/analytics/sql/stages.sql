-- Since when items wait where they stand: for a first vote, for a further one, for a lead; and since
-- they came in. The times at the places that medians, their 95 % intervals and deciles rest on, the
-- longest wait first place last; as order statistics, as in durations.sql.
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
    SELECT stage, since FROM unsettled
    UNION ALL
    SELECT 'all', came FROM unsettled
),
ranked AS (
    SELECT
        stage, since,
        row_number() OVER (PARTITION BY stage ORDER BY since DESC) AS place,
        count(*) OVER (PARTITION BY stage) AS n
    FROM waits
)
SELECT
    stage,
    any_value(n) AS n,
    max(since) FILTER (place = (n + 1) // 2) AS lower_middle,
    max(since) FILTER (place = n // 2 + 1) AS upper_middle,
    max(since) FILTER (place = greatest(1, floor(n / 2.0 - 0.98 * sqrt(n)))) AS low,
    max(since) FILTER (place = least(n, ceil(1 + n / 2.0 + 0.98 * sqrt(n)))) AS high,
    max(since) FILTER (place = 1 + floor(0.9::DOUBLE * (n - 1))) AS below_ninth,
    max(since) FILTER (place = 1 + ceil(0.9::DOUBLE * (n - 1))) AS above_ninth,
    min(since) AS longest
FROM ranked
GROUP BY stage
ORDER BY stage;
