INSERT INTO regions
WITH answers AS (
    SELECT 'annotations' AS said_in, seq, boxes FROM annotations WHERE seq > $annotations
    UNION ALL
    SELECT 'predictions', seq, boxes FROM predictions WHERE seq > $predictions
    UNION ALL
    SELECT 'gold_answers', seq, boxes FROM gold_answers WHERE seq > $gold_answers
    UNION ALL
    SELECT 'final_labels', seq, boxes FROM final_labels WHERE seq > $final_labels
)
SELECT
    said_in, seq, CAST(r.key AS BIGINT), r.value ->> '$.label',
    CAST(r.value -> '$.box[0]' AS DOUBLE), CAST(r.value -> '$.box[1]' AS DOUBLE),
    CAST(r.value -> '$.box[2]' AS DOUBLE), CAST(r.value -> '$.box[3]' AS DOUBLE),
    CAST(r.value ->> '$.confidence' AS DOUBLE)
FROM answers, json_each(answers.boxes, '$.regions') r
WHERE answers.boxes IS NOT NULL;
