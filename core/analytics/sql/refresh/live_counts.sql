-- Live statements by person: what comes in less what goes out.
INSERT INTO live_counts
SELECT project_id, person_id, kind, shown, bin, sum(stands::INTEGER - was::INTEGER)::BIGINT AS n
FROM votes
WHERE was <> stands
GROUP BY ALL
HAVING n <> 0;
