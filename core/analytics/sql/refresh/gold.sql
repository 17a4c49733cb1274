DELETE FROM gold
WHERE item_id IN (SELECT item_id FROM gold_answers WHERE seq > $gold_answers);

INSERT INTO gold
SELECT g.*, i.use
FROM gold_answers g
JOIN items i ON i.id = g.item_id
WHERE g.seq IN (SELECT max(seq) FROM gold_answers WHERE seq > $gold_answers GROUP BY item_id);
