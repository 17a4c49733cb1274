-- The boxes of the labels in force; of items without one, where that is asked, what the model says
-- of them now. Other shapes count by the box around them.
WITH said AS (
    SELECT item_id, 'final_labels' AS said_in, seq
    FROM final
    WHERE project_id = $project AND state IN ('imported', 'auto-accepted', 'agreed', 'adjudicated')
    UNION ALL
    SELECT item_id, 'predictions', seq
    FROM latest_prediction
    WHERE $predicted AND project_id = $project
)
SELECT
    s.item_id, s.said_in = 'predictions' AS predicted, coalesce(n.today, r.label) AS label,
    r.x1, r.y1, r.x2, r.y2
FROM said s
LEFT JOIN regions r ON r.said_in = s.said_in AND r.seq = s.seq
LEFT JOIN label_names n ON n.project_id = $project AND n.name = r.label
ORDER BY s.item_id, predicted, r.place;
