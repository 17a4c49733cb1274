-- Work done by day and person, in the time zone asked for. Votes that came with files are no
-- work done here. Clocks change on quarter hours, so each quarter hour is converted once.
WITH work AS (
    SELECT person_id, "at", kind, active_seconds, "at" - started_at AS elapsed_seconds, item_id
    FROM annotations
    WHERE project_id = $project AND batch_id IS NULL
    UNION ALL
    SELECT person_id, "at", 'decision', NULL, NULL, item_id
    FROM decisions
    WHERE project_id = $project
),
chosen AS (
    SELECT *, CAST(floor("at" / 900) AS BIGINT) AS quarter
    FROM work
    WHERE (len($people) = 0 OR list_contains($people, person_id))
      AND ($since IS NULL OR "at" >= $since)
      AND ($until IS NULL OR "at" < $until)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
),
days AS (
    SELECT quarter, CAST(timezone($tz, to_timestamp(quarter * 900.0)) AS DATE) AS day
    FROM (SELECT DISTINCT quarter FROM chosen)
)
SELECT
    d.day,
    p.name AS person,
    count(*) FILTER (c.kind = 'decision') AS decisions,
    count(*) FILTER (c.kind = 'vote') AS votes,
    count(*) FILTER (c.kind = 'skip') AS skips,
    count(*) FILTER (c.kind = 'flag') AS flags,
    coalesce(sum(c.active_seconds), 0) AS active_seconds,
    median(c.active_seconds) FILTER (c.kind = 'vote') AS median_seconds,
    coalesce(sum(c.elapsed_seconds), 0) AS elapsed_seconds
FROM chosen c
JOIN days d ON d.quarter = c.quarter
JOIN people p ON p.id = c.person_id
GROUP BY ALL
ORDER BY d.day, p.name;
