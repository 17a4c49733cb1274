-- One stretch of items, to roll up everything stretch by stretch.
CREATE OR REPLACE TEMP TABLE touched AS
SELECT id AS item_id, project_id FROM items WHERE id BETWEEN $low AND $high;
