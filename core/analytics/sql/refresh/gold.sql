DELETE FROM gold
WHERE item_id IN (SELECT item_id FROM gold_answers WHERE seq > $gold_answers);

INSERT INTO gold
FROM gold_answers
WHERE seq IN (SELECT max(seq) FROM gold_answers WHERE seq > $gold_answers GROUP BY item_id);
