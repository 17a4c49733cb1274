-- The regions of the answers that are just coming in, of one table.
INSERT INTO regions
SELECT
    $table, seq, CAST(r.key AS BIGINT), r.value ->> '$.label',
    CAST(r.value -> '$.box[0]' AS DOUBLE), CAST(r.value -> '$.box[1]' AS DOUBLE),
    CAST(r.value -> '$.box[2]' AS DOUBLE), CAST(r.value -> '$.box[3]' AS DOUBLE),
    CAST(r.value ->> '$.confidence' AS DOUBLE)
FROM incoming, json_each(incoming.boxes, '$.regions') r
WHERE incoming.boxes IS NOT NULL;
