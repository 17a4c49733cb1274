-- The same as throughput.sql, from the days added up in a time zone: of whole days, all items.
SELECT
    w.day, p.name AS person, w.decisions, w.votes, w.skips, w.flags, w.active_seconds,
    w.median_seconds, w.elapsed_seconds
FROM work_days w
JOIN people p ON p.id = w.person_id
WHERE w.tz = $tz AND w.project_id = $project
  AND (len($people) = 0 OR list_contains($people, w.person_id))
  AND ($first IS NULL OR w.day >= $first)
  AND ($last IS NULL OR w.day < $last)
ORDER BY w.day, p.name;
