-- Remember what the model says of the touched items now.
INSERT INTO guesses_there
SELECT p.item_id, coalesce(n.today, p.label), $was, $stands
FROM latest_prediction p
LEFT JOIN label_names n ON n.project_id = p.project_id AND n.name = p.label
WHERE p.label IS NOT NULL AND p.item_id IN (SELECT item_id FROM touched);
