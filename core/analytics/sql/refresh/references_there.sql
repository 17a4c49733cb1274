-- Remember what is held to be true of the touched items now.
INSERT INTO references_there
SELECT
    f.project_id, f.item_id, f.use, false, f.state = 'adjudicated', coalesce(n.today, f.label),
    f.rests_on, f.rests_on_model, $was, $stands
FROM final f
LEFT JOIN label_names n ON n.project_id = f.project_id AND n.name = f.label
WHERE f.state IN ('imported', 'auto-accepted', 'agreed', 'adjudicated')
  AND f.label IS NOT NULL
  AND f.item_id IN (SELECT item_id FROM touched)
UNION ALL
SELECT
    g.project_id, g.item_id, g.use, true, false, coalesce(n.today, g.label), [], false, $was, $stands
FROM gold g
LEFT JOIN label_names n ON n.project_id = g.project_id AND n.name = g.label
WHERE g.label IS NOT NULL AND g.item_id IN (SELECT item_id FROM touched);
