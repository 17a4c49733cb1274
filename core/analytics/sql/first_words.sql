-- What people first did with each pre-label they were shown, by class of the pre-label: kept it
-- unchanged, changed it, or passed the item on. Regions are compared by class and bounding box.
WITH firsts AS (
    SELECT a.seq, a.item_id, a.person_id, a.kind, a.label, a.prediction_seq
    FROM annotations a
    WHERE a.project_id = $project
      AND a.revision = 1
      AND a.batch_id IS NULL
      AND a.prelabel_shown
      AND a.kind IN ('vote', 'skip', 'flag')
      AND a.prediction_seq IS NOT NULL
      AND (len($people) = 0 OR list_contains($people, a.person_id))
      AND ($since IS NULL OR a."at" >= $since)
      AND ($until IS NULL OR a."at" < $until)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR a.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
),
drawn AS (
    SELECT
        r.said_in, r.seq,
        list_sort(list(concat_ws(' ', coalesce(n.today, r.label), round(r.x1, 3), round(r.y1, 3),
                                 round(r.x2, 3), round(r.y2, 3)))) AS shapes
    FROM regions r
    LEFT JOIN label_names n ON n.project_id = $project AND n.name = r.label
    WHERE (r.said_in = 'annotations' AND r.seq IN (SELECT seq FROM firsts))
       OR (r.said_in = 'predictions' AND r.seq IN (SELECT prediction_seq FROM firsts))
    GROUP BY ALL
)
SELECT
    f.person_id AS who,
    coalesce(pn.today, p.label) AS label,
    count(*) AS n,
    count(*) FILTER (
        f.kind = 'vote'
        AND coalesce(fn.today, f.label) IS NOT DISTINCT FROM coalesce(pn.today, p.label)
        AND d.shapes IS NOT DISTINCT FROM e.shapes
    ) AS kept,
    count(*) FILTER (f.kind <> 'vote') AS passed
FROM firsts f
JOIN predictions p ON p.seq = f.prediction_seq
LEFT JOIN label_names pn ON pn.project_id = $project AND pn.name = p.label
LEFT JOIN label_names fn ON fn.project_id = $project AND fn.name = f.label
LEFT JOIN drawn d ON d.said_in = 'annotations' AND d.seq = f.seq
LEFT JOIN drawn e ON e.said_in = 'predictions' AND e.seq = p.seq
GROUP BY ALL
ORDER BY ALL;
