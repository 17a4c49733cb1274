-- How many votes took how long, by quarter doublings of a second: bin k holds 2^(k/4) to 2^((k+1)/4).
SELECT CAST(floor(4 * log2(active_seconds)) AS INTEGER) AS bin, count(*) AS n
FROM annotations
WHERE project_id = $project AND batch_id IS NULL AND kind = 'vote' AND active_seconds > 0
  AND (len($people) = 0 OR list_contains($people, person_id))
  AND ($since IS NULL OR "at" >= $since)
  AND ($until IS NULL OR "at" < $until)
GROUP BY bin
ORDER BY bin;
