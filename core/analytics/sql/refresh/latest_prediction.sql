DELETE FROM latest_prediction
WHERE item_id IN (SELECT item_id FROM predictions WHERE seq > $predictions);

INSERT INTO latest_prediction
FROM predictions
WHERE seq IN (SELECT max(seq) FROM predictions WHERE seq > $predictions GROUP BY item_id);
