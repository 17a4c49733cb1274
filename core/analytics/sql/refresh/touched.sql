-- The items whose contributions to the roll-ups may change.
CREATE OR REPLACE TEMP TABLE touched AS
SELECT item_id, project_id FROM annotations WHERE seq > $annotations
UNION
SELECT item_id, project_id FROM final_labels WHERE seq > $final_labels
UNION
SELECT item_id, project_id FROM gold_answers WHERE seq > $gold_answers
UNION
SELECT item_id, project_id FROM predictions WHERE seq > $predictions;
