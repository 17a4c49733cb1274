-- Items that stood in one of some states at a moment, the oldest first. A state begins when it was
-- written, or with the one before it, whichever is later, as in refresh/state_moves.sql.
WITH stays AS (
    SELECT item_id, seq, state, max("at") OVER (PARTITION BY item_id ORDER BY seq) AS since
    FROM final_labels
    WHERE project_id = $project
),
stood AS (
    SELECT item_id, arg_max(state, seq) AS state
    FROM stays
    WHERE since < $moment
    GROUP BY item_id
)
SELECT
    i.id AS item_id, NULL AS who, NULL AS said, NULL AS truth, NULL AS seconds, NULL AS confidence,
    count(*) OVER () AS total
FROM items i
LEFT JOIN stood s ON s.item_id = i.id
WHERE i.project_id = $project
  AND i."at" < $moment
  AND list_contains($states, coalesce(s.state, 'open'))
ORDER BY i."at", i.id
LIMIT $most;
