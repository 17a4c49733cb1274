-- How long each person's votes took, by order statistics: the ends of the median's 95 % interval
-- are the values 0.98 * sqrt(n) places either side of the middle, whatever the distribution.
WITH timed AS (
    SELECT person_id, active_seconds AS seconds
    FROM annotations
    WHERE project_id = $project AND batch_id IS NULL AND kind = 'vote' AND active_seconds > 0
      AND (len($people) = 0 OR list_contains($people, person_id))
      AND ($since IS NULL OR "at" >= $since)
      AND ($until IS NULL OR "at" < $until)
),
ranked AS (
    SELECT
        person_id, seconds,
        row_number() OVER (PARTITION BY person_id ORDER BY seconds) AS place,
        count(*) OVER (PARTITION BY person_id) AS n
    FROM timed
)
SELECT
    p.name AS person,
    any_value(r.n) AS n,
    median(r.seconds) AS middle,
    max(r.seconds) FILTER (r.place = greatest(1, floor(r.n / 2.0 - 0.98 * sqrt(r.n)))) AS low,
    max(r.seconds) FILTER (r.place = least(r.n, ceil(1 + r.n / 2.0 + 0.98 * sqrt(r.n)))) AS high,
    quantile_cont(r.seconds, 0.9) AS ninth
FROM ranked r
JOIN people p ON p.id = r.person_id
GROUP BY p.name
ORDER BY p.name;
