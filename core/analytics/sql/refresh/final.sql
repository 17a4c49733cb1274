-- The label in force of each item with a new one, and whose word it is. Follows state_moves.
DELETE FROM final
WHERE item_id IN (
    SELECT item_id FROM final_labels WHERE seq > $final_labels AND item_id BETWEEN $low AND $high
);

INSERT INTO final
WITH newest AS (
    FROM final_labels
    WHERE seq IN (
        SELECT max(seq) FROM final_labels
        WHERE seq > $final_labels AND item_id BETWEEN $low AND $high
        GROUP BY item_id
    )
),
voters AS (
    SELECT
        e.seq,
        list(a.person_id) AS people,
        -- On boxes both labels are NULL: every vote listed supports the answer.
        bool_or(
            a.prelabel_shown
            AND coalesce(n.today, a.label) IS NOT DISTINCT FROM coalesce(m.today, e.label)
        ) AS shown
    FROM (SELECT seq, label, unnest(rests.votes) AS vote FROM newest) e
    JOIN annotations a ON a.seq = e.vote AND a.item_id BETWEEN $low AND $high
    LEFT JOIN label_names n ON n.project_id = a.project_id AND n.name = a.label
    LEFT JOIN label_names m ON m.project_id = a.project_id AND m.name = e.label
    GROUP BY e.seq
)
SELECT
    n.seq, n.project_id, n.item_id, n.state, n.label, n.boxes,
    CASE
        WHEN n.state = 'adjudicated' THEN list_filter([d.person_id], lambda p: p IS NOT NULL)
        WHEN n.state = 'imported' THEN []
        ELSE coalesce(v.people, [])
    END,
    CASE
        WHEN n.state IN ('adjudicated', 'imported') THEN false
        ELSE n.state = 'auto-accepted' OR n.rests.prediction IS NOT NULL OR coalesce(v.shown, false)
    END,
    s.since, i.use
FROM newest n
JOIN items i ON i.id = n.item_id
JOIN stays s ON s.seq = n.seq AND s.item_id = n.item_id
LEFT JOIN voters v ON v.seq = n.seq
LEFT JOIN decisions d ON d.seq = n.rests.decision;
