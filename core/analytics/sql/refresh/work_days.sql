-- The work of the days and people to be redone, added up anew. All of it lies between two times.
DELETE FROM work_days
WHERE tz = $tz AND (project_id, person_id, day) IN (SELECT (project_id, person_id, day) FROM redone);

INSERT INTO work_days
WITH work AS (
    SELECT project_id, person_id, "at", kind, active_seconds, "at" - started_at AS elapsed_seconds
    FROM annotations
    WHERE batch_id IS NULL
      AND "at" >= $first AND "at" < $last
      AND (project_id, person_id) IN (SELECT (project_id, person_id) FROM redone)
    UNION ALL
    SELECT project_id, person_id, "at", 'decision', NULL, NULL
    FROM decisions
    WHERE "at" >= $first AND "at" < $last
),
placed AS (SELECT *, CAST(floor("at" / 900) AS BIGINT) AS quarter FROM work),
days AS (
    SELECT quarter, CAST(timezone($tz, to_timestamp(quarter * 900.0)) AS DATE) AS day
    FROM (SELECT DISTINCT quarter FROM placed)
)
SELECT
    $tz, w.project_id, d.day, w.person_id,
    count(*) FILTER (w.kind = 'decision'),
    count(*) FILTER (w.kind = 'vote'),
    count(*) FILTER (w.kind = 'skip'),
    count(*) FILTER (w.kind = 'flag'),
    coalesce(sum(w.active_seconds), 0),
    median(w.active_seconds) FILTER (w.kind = 'vote'),
    coalesce(sum(w.elapsed_seconds), 0)
FROM placed w
JOIN days d ON d.quarter = w.quarter
JOIN redone r ON r.project_id = w.project_id AND r.person_id = w.person_id AND r.day = d.day
GROUP BY ALL;
