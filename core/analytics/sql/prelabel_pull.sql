-- How often each person's live vote says what the pre-label in force said, with it shown and blind.
SELECT
    l.person_id,
    count(*) FILTER (l.prelabel_shown) AS shown,
    count(*) FILTER (l.prelabel_shown AND l.label = coalesce(n.today, p.label)) AS shown_same,
    count(*) FILTER (NOT l.prelabel_shown) AS blind,
    count(*) FILTER (NOT l.prelabel_shown AND l.label = coalesce(n.today, p.label)) AS blind_same
FROM live_votes l
JOIN predictions p ON p.seq = l.prediction_seq
LEFT JOIN label_names n ON n.project_id = $project AND n.name = p.label
WHERE l.project_id = $project AND l.label IS NOT NULL AND p.label IS NOT NULL
  AND ($until IS NULL OR l."at" < $until)
GROUP BY ALL
ORDER BY ALL;
