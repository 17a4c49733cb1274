-- The model's statements beside references: what comes in less what goes out.
INSERT INTO pair_counts
SELECT
    r.project_id, r.gold, r.decided, r.use, NULL, NULL, r.rests_on_model, r.label, g.label,
    sum((g.stands AND r.stands)::INTEGER - (g.was AND r.was)::INTEGER)::BIGINT AS n
FROM guesses_there g
JOIN references_there r ON r.item_id = g.item_id
GROUP BY ALL
HAVING n <> 0;
