-- The members of each document, whatever of it can be read, for all items that have it.
INSERT INTO item_values
WITH readable AS (
    FROM documents WHERE CASE WHEN json_valid(doc) THEN json_type(doc) END = 'OBJECT'
),
members AS (
    SELECT
        n.place, e.key,
        CASE WHEN e.type = 'VARCHAR' THEN e.atom ->> '$' ELSE CAST(e.value AS VARCHAR) END AS value
    FROM readable n, json_each(n.doc) e
    WHERE e.type <> 'NULL'
),
values_there AS (
    SELECT
        place, key, value,
        -- Whatever reads as a finite number begins before ':', the character after '9'.
        CASE WHEN value < ':' AND isfinite(TRY_CAST(value AS DOUBLE)) THEN TRY_CAST(value AS DOUBLE) END AS number
    FROM members
    WHERE value <> ''
)
SELECT p.seq, p.project_id, p.item_id, v.key, v.value, v.number
FROM placed p
JOIN values_there v ON v.place = p.place;
