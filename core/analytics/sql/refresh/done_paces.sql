-- How long votes given here took: every revision counts, and stays.
INSERT INTO done_paces
SELECT project_id, person_id, pace_bin, count(*)
FROM annotations
WHERE seq > $annotations AND batch_id IS NULL AND kind = 'vote' AND active_seconds > 0
GROUP BY ALL;
