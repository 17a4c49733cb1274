-- The items whose contributions to the roll-ups may change.
CREATE OR REPLACE TEMP TABLE touched AS
SELECT id AS item_id, project_id, use
FROM items
WHERE id IN (
    SELECT item_id FROM annotations WHERE seq > $annotations
    UNION ALL
    SELECT item_id FROM final_labels WHERE seq > $final_labels
    UNION ALL
    SELECT item_id FROM gold_answers WHERE seq > $gold_answers
    UNION ALL
    SELECT item_id FROM predictions WHERE seq > $predictions
);
