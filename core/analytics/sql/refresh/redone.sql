-- The days and people that new rows fall on, in one time zone.
CREATE OR REPLACE TEMP TABLE redone AS
WITH work AS (
    SELECT DISTINCT project_id, person_id, CAST(floor("at" / 900) AS BIGINT) AS quarter
    FROM annotations
    WHERE seq > $annotations AND batch_id IS NULL
    UNION
    SELECT project_id, person_id, CAST(floor("at" / 900) AS BIGINT)
    FROM decisions
    WHERE seq > $decisions
),
days AS (
    SELECT quarter, CAST(timezone($tz, to_timestamp(quarter * 900.0)) AS DATE) AS day
    FROM (SELECT DISTINCT quarter FROM work)
)
SELECT DISTINCT w.project_id, w.person_id, d.day FROM work w JOIN days d ON d.quarter = w.quarter;
