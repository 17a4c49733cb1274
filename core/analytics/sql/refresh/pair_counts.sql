-- Statement beside reference, for people and for the model: what comes in less what goes out.
INSERT INTO pair_counts
SELECT
    c.project_id, r.gold, r.decided, c.use, v.person_id, v.shown,
    list_contains(r.rests_on, v.person_id), r.label, v.label,
    sum((v.stands AND r.stands)::INTEGER - (v.was AND r.was)::INTEGER)::BIGINT AS n
FROM votes v
JOIN references_there r ON r.item_id = v.item_id
JOIN touched c ON c.item_id = v.item_id
WHERE v.kind = 'vote' AND v.label IS NOT NULL
GROUP BY ALL
HAVING n <> 0;
