-- The same as pair_cells.sql, from the roll-up: without filters of time, metadata or prediction set.
SELECT truth, said, who, own, sum(n)::BIGINT AS n
FROM rolled_pairs($project, $whose, $people, $against, $blind_only, $uses)
GROUP BY truth, said, who, own
HAVING sum(n) <> 0
ORDER BY truth, said, who, own;
