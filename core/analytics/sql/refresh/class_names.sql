-- Names that classes were given under before, and what they mean under the newest schema.
DELETE FROM class_names
WHERE project_id IN (SELECT project_id FROM schemas WHERE seq > $schemas);

INSERT INTO class_names
WITH RECURSIVE newest AS (
    FROM schemas
    WHERE seq IN (SELECT max(seq) FROM schemas WHERE seq > $schemas GROUP BY project_id)
),
questions AS (
    SELECT n.project_id, q.value AS question, CAST(q.key AS BIGINT) = 0 AS is_main
    FROM newest n, json_each(n.doc, '$.questions') q
),
classes AS (
    SELECT
        q.project_id, q.is_main, q.question ->> '$.key' AS question_key,
        CAST(c.value -> '$.id' AS BIGINT) AS id, c.value ->> '$.name' AS name,
        TRY_CAST(c.value -> '$.merged_into' AS BIGINT) AS merged_into,
        coalesce(CAST(c.value -> '$.former' AS VARCHAR[]), []) AS former
    FROM questions q, json_each(q.question, '$.classes') c
),
-- Who took over a class that was merged, and who took over that one.
meaning AS (
    SELECT project_id, question_key, id, id AS means FROM classes WHERE merged_into IS NULL
    UNION ALL
    SELECT c.project_id, c.question_key, c.id, m.means
    FROM classes c
    JOIN meaning m
      ON m.project_id = c.project_id AND m.question_key = c.question_key AND m.id = c.merged_into
),
given AS (
    SELECT project_id, question_key, is_main, id, unnest(list_append(former, name)) AS name
    FROM classes
)
SELECT g.project_id, g.question_key, g.is_main, g.name, t.name
FROM given g
JOIN meaning m ON m.project_id = g.project_id AND m.question_key = g.question_key AND m.id = g.id
JOIN classes t ON t.project_id = g.project_id AND t.question_key = g.question_key AND t.id = m.means
WHERE g.name <> t.name;
