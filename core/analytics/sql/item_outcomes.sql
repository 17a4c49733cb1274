-- How each item of a project came out: the state of its label, how often people passed it on, and
-- how many votes of those not the label's own say something else than the label in force.
SELECT
    i.id AS item_id,
    f.state,
    count(a.seq) FILTER (WHERE a.kind IN ('skip', 'flag')) AS passed_on,
    count(a.seq) FILTER (WHERE a.kind = 'vote') AS votes,
    count(a.seq) FILTER (
        WHERE a.kind = 'vote'
          AND coalesce(n.today, a.label) <> coalesce(m.today, f.label)
    ) AS wrong
FROM items i
LEFT JOIN final f ON f.item_id = i.id
LEFT JOIN annotations a ON a.item_id = i.id AND NOT a.superseded
LEFT JOIN label_names n ON n.project_id = $project AND n.name = a.label
LEFT JOIN label_names m ON m.project_id = $project AND m.name = f.label
WHERE i.project_id = $project
GROUP BY i.id, f.state
ORDER BY i.id;
