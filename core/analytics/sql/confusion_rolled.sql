-- The same as confusion.sql, from the roll-up: without filters of time, metadata or prediction set.
SELECT truth, said, own, sum(n)::BIGINT AS n
FROM rolled_pairs($project, $whose, $people, $against, $blind_only, $uses)
GROUP BY truth, said, own
HAVING sum(n) <> 0
ORDER BY truth, said, own;
