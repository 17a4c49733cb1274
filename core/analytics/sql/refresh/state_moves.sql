-- The states items came into, in the order of the record. A clock that went back takes nothing
-- back: a state begins when it was written, or with the one before it, whichever is later.
CREATE OR REPLACE TEMP TABLE stays AS
WITH events AS (
    SELECT id AS item_id, project_id, 0 AS seq, 'open' AS state, "at", false AS known
    FROM items
    WHERE id > $items AND id BETWEEN $low AND $high
    UNION ALL
    SELECT i.id, i.project_id, 0, coalesce(f.state, 'open'), coalesce(f.since, i."at"), true
    FROM items i
    LEFT JOIN final f ON f.item_id = i.id
    WHERE i.id <= $items AND i.id IN (SELECT item_id FROM final_labels WHERE seq > $final_labels)
    UNION ALL
    SELECT item_id, project_id, seq, state, "at", false
    FROM final_labels
    WHERE seq > $final_labels AND item_id BETWEEN $low AND $high
)
SELECT *, max("at") OVER running AS since, lag(state) OVER running AS before
FROM events
WINDOW running AS (PARTITION BY item_id ORDER BY seq);

INSERT INTO state_moves
SELECT project_id, CAST(floor(since / 900) AS BIGINT) AS quarter, state, count(*)
FROM stays
WHERE NOT known AND state IS DISTINCT FROM before
GROUP BY ALL
UNION ALL
SELECT project_id, CAST(floor(since / 900) AS BIGINT) AS quarter, before, -count(*)
FROM stays
WHERE NOT known AND before IS NOT NULL AND state IS DISTINCT FROM before
GROUP BY ALL;
