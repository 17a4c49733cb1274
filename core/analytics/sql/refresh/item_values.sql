DELETE FROM item_values
WHERE item_id IN (SELECT item_id FROM item_metadata WHERE seq > $item_metadata);

INSERT INTO item_values
WITH newest AS (
    FROM item_metadata
    WHERE seq IN (SELECT max(seq) FROM item_metadata WHERE seq > $item_metadata GROUP BY item_id)
      AND CASE WHEN json_valid(doc) THEN json_type(doc) END = 'OBJECT'
),
members AS (
    SELECT
        n.project_id, n.item_id, e.key,
        CASE WHEN e.type = 'VARCHAR' THEN e.atom ->> '$' ELSE CAST(e.value AS VARCHAR) END AS value
    FROM newest n, json_each(n.doc) e
    WHERE e.type <> 'NULL'
)
SELECT
    project_id, item_id, key, value,
    -- Whatever reads as a finite number begins before ':', the character after '9'.
    CASE WHEN value < ':' AND isfinite(TRY_CAST(value AS DOUBLE)) THEN TRY_CAST(value AS DOUBLE) END
FROM members
WHERE value <> '';
