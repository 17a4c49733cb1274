-- How the live blind votes fall on each item: so many for the label in force where people agreed on
-- one (`is_final`), so many for each other class (in descending order), on so many items. Imported
-- labels and those a model or a lead settled are not the word of votes: there all votes are others.
WITH counted AS (
    SELECT item_id, label, count(*) AS n
    FROM live_votes
    WHERE project_id = $project
      AND label IS NOT NULL
      AND NOT prelabel_shown
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
    GROUP BY ALL
),
labelled AS (
    SELECT f.item_id, coalesce(n.today, f.label) AS label
    FROM final f
    LEFT JOIN label_names n ON n.project_id = $project AND n.name = f.label
    WHERE f.project_id = $project AND f.state = 'agreed' AND f.label IS NOT NULL
),
shapes AS (
    SELECT
        c.item_id, l.item_id IS NOT NULL AS is_final,
        coalesce(sum(c.n) FILTER (c.label = l.label), 0)::BIGINT AS support,
        coalesce(list_reverse_sort(list(c.n) FILTER (c.label IS DISTINCT FROM l.label)), []) AS others
    FROM counted c
    LEFT JOIN labelled l ON l.item_id = c.item_id
    GROUP BY c.item_id, l.item_id
)
SELECT is_final, support, others, count(*) AS items
FROM shapes
GROUP BY ALL
ORDER BY ALL;
