-- How many of the others said the same, by person: what comes in less what goes out.
INSERT INTO agreement_counts
WITH by_label AS (
    SELECT item_id, label, sum(was::INTEGER) AS was, sum(stands::INTEGER) AS stands
    FROM votes
    WHERE kind = 'vote' AND label IS NOT NULL
    GROUP BY ALL
),
by_item AS (SELECT item_id, sum(was) AS was, sum(stands) AS stands FROM by_label GROUP BY ALL),
beside AS (
    SELECT
        v.project_id, v.person_id, v.was, v.stands, i.was - 1 AS others_were, l.was - 1 AS same_were,
        i.stands - 1 AS others, l.stands - 1 AS same
    FROM votes v
    JOIN by_item i ON i.item_id = v.item_id
    JOIN by_label l ON l.item_id = v.item_id AND l.label = v.label
    WHERE v.kind = 'vote'
),
changes AS (
    SELECT project_id, person_id, others, same, count(*) AS n
    FROM beside WHERE stands AND others > 0 GROUP BY ALL
    UNION ALL
    SELECT project_id, person_id, others_were, same_were, -count(*)
    FROM beside WHERE was AND others_were > 0 GROUP BY ALL
)
SELECT project_id, person_id, others, same, sum(n)::BIGINT AS items
FROM changes
GROUP BY ALL
HAVING items <> 0;
