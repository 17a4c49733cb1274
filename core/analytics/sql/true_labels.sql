-- What is held to be true of each item, by gold or by a lead's ruling; for a model only where the
-- ruling does not rest on what it had said.
SELECT item_id, label
FROM truths($project, $against)
WHERE label IS NOT NULL AND NOT ($whose = 'model' AND coalesce(rests_on_model, false))
ORDER BY item_id;
