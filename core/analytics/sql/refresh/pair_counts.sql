-- Statement beside reference, for people and for the model: what comes in less what goes out. Where
-- neither changed there is nothing to count.
INSERT INTO pair_counts
SELECT
    r.project_id, r.gold, r.decided, r.use, v.person_id, v.shown,
    list_contains(r.rests_on, v.person_id), r.label, v.label,
    sum((v.stands AND r.stands)::INTEGER - (v.was AND r.was)::INTEGER)::BIGINT AS n
FROM votes v
JOIN references_there r ON r.item_id = v.item_id
WHERE v.kind = 'vote' AND v.label IS NOT NULL AND (v.was <> v.stands OR r.was <> r.stands)
GROUP BY ALL
HAVING n <> 0;
