-- Items that entered or left each state, by day in the time zone asked for. An item enters as
-- open when it is taken in.
WITH days AS (
    SELECT quarter, CAST(timezone($tz, to_timestamp(quarter * 900.0)) AS DATE) AS day
    FROM (SELECT DISTINCT quarter FROM state_moves WHERE project_id = $project)
)
SELECT d.day, m.state, sum(m.change)::BIGINT AS change
FROM state_moves m
JOIN days d ON d.quarter = m.quarter
WHERE m.project_id = $project
GROUP BY ALL
HAVING sum(m.change) <> 0
ORDER BY d.day, m.state;
