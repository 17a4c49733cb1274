DELETE FROM final
WHERE item_id IN (SELECT item_id FROM final_labels WHERE seq > $final_labels);

INSERT INTO final
WITH newest AS (
    FROM final_labels
    WHERE seq IN (SELECT max(seq) FROM final_labels WHERE seq > $final_labels GROUP BY item_id)
),
evidence AS (
    SELECT
        seq, label,
        TRY_CAST(evidence ->> '$.decision' AS BIGINT) AS decision,
        TRY_CAST(evidence ->> '$.prediction' AS BIGINT) AS prediction,
        TRY_CAST(evidence -> '$.votes' AS BIGINT[]) AS votes
    FROM newest
),
voters AS (
    SELECT
        e.seq,
        list(DISTINCT a.person_id) AS people,
        -- On boxes both labels are NULL: every vote listed supports the answer.
        bool_or(
            a.prelabel_shown
            AND coalesce(n.today, a.label) IS NOT DISTINCT FROM coalesce(m.today, e.label)
        ) AS shown
    FROM (SELECT seq, label, unnest(votes) AS vote FROM evidence) e
    JOIN annotations a ON a.seq = e.vote
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
        ELSE n.state = 'auto-accepted' OR e.prediction IS NOT NULL OR coalesce(v.shown, false)
    END
FROM newest n
JOIN evidence e ON e.seq = n.seq
LEFT JOIN voters v ON v.seq = n.seq
LEFT JOIN decisions d ON d.seq = e.decision;
