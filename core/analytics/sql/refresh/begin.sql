-- What is held to be true of the touched items, and what the model said of them: rows for what
-- `was` before the new rows, and for what `stands` with them.
CREATE OR REPLACE TEMP TABLE references_there (
    project_id BIGINT, item_id BIGINT, use VARCHAR, gold BOOLEAN, decided BOOLEAN, label VARCHAR,
    rests_on BIGINT[], rests_on_model BOOLEAN, was BOOLEAN, stands BOOLEAN
);

CREATE OR REPLACE TEMP TABLE guesses_there (item_id BIGINT, label VARCHAR, was BOOLEAN, stands BOOLEAN);
