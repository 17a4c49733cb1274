-- The same as duration_bins.sql, from the roll-up: over all time.
SELECT CAST(floor(bin / 16) AS INTEGER) AS bin, sum(n)::BIGINT AS n
FROM (
    SELECT bin, n FROM done_paces
    WHERE project_id = $project AND (len($people) = 0 OR list_contains($people, person_id))
)
GROUP BY ALL
HAVING sum(n) <> 0
ORDER BY bin;
