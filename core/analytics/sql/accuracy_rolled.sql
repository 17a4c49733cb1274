-- The same as accuracy.sql, from the roll-up: without filters of time, metadata or prediction set.
SELECT
    truth, who, own, sum(n)::BIGINT AS n,
    coalesce(sum(n) FILTER (said = truth), 0)::BIGINT AS correct
FROM rolled_pairs($project, $whose, $people, $against, $blind_only, $uses)
GROUP BY truth, who, own
HAVING sum(n) <> 0
ORDER BY truth, who, own;
