-- Each person's live statements, and how they stand against gold.
SELECT
    p.id AS person_id, p.name AS person, p.kind,
    count(*) FILTER (l.kind = 'vote') AS votes,
    count(*) FILTER (l.kind = 'vote' AND NOT l.prelabel_shown) AS blind_votes,
    count(*) FILTER (l.kind = 'skip') AS skips,
    count(*) FILTER (l.kind = 'flag') AS flags,
    median(l.active_seconds) FILTER (l.kind = 'vote') AS median_seconds,
    count(g.label) FILTER (l.kind = 'vote' AND l.label IS NOT NULL) AS gold_n,
    count(*) FILTER (
        l.kind = 'vote' AND coalesce(n.today, l.label) = coalesce(m.today, g.label)
    ) AS gold_correct
FROM live l
JOIN people p ON p.id = l.person_id
LEFT JOIN gold g ON g.item_id = l.item_id
LEFT JOIN label_names n ON n.project_id = l.project_id AND n.name = l.label
LEFT JOIN label_names m ON m.project_id = l.project_id AND m.name = g.label
WHERE l.project_id = $project AND l.kind <> 'withdraw'
  AND ($until IS NULL OR l."at" < $until)
GROUP BY ALL
ORDER BY p.name;
