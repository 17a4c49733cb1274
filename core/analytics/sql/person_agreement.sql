-- For each person: on how many items a given number of others voted, and how many of them
-- said the same.
WITH votes AS (
    SELECT item_id, person_id, label
    FROM live_votes
    WHERE project_id = $project AND label IS NOT NULL
      AND ($until IS NULL OR "at" < $until)
),
by_label AS (SELECT item_id, label, count(*) AS n FROM votes GROUP BY ALL),
by_item AS (SELECT item_id, sum(n) AS n FROM by_label GROUP BY item_id HAVING sum(n) > 1)
SELECT v.person_id, i.n - 1 AS others, l.n - 1 AS same, count(*) AS items
FROM votes v
JOIN by_item i ON i.item_id = v.item_id
JOIN by_label l ON l.item_id = v.item_id AND l.label = v.label
GROUP BY ALL
ORDER BY ALL;
