-- First words that were not left as they are: pre-labels people changed or passed on, as many as
-- first_words.sql counts as not kept, and first votes that were done again or overturned; by class (of
-- the pre-label, or voted for) or person.
WITH firsts AS (
    SELECT
        a.seq, a.item_id, a.person_id, a.kind, coalesce(n.today, a.label) AS label, a.prediction_seq,
        a.prelabel_shown
    FROM annotations a
    LEFT JOIN label_names n ON n.project_id = $project AND n.name = a.label
    WHERE a.project_id = $project
      AND a.revision = 1
      AND a.batch_id IS NULL
      AND (a.kind = 'vote' OR ($what = 'kept' AND a.kind IN ('skip', 'flag')))
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
    WHERE $what = 'kept'
      AND ((r.said_in = 'annotations' AND r.seq IN (SELECT seq FROM firsts))
           OR (r.said_in = 'predictions' AND r.seq IN (SELECT prediction_seq FROM firsts)))
    GROUP BY ALL
),
found AS (
    SELECT f.item_id, f.person_id AS who,
           CASE f.kind WHEN 'skip' THEN 'skipped' WHEN 'flag' THEN 'flagged' ELSE f.label END AS said,
           coalesce(pn.today, p.label) AS other,
           coalesce(pn.today, p.label) AS by_class
    FROM firsts f
    JOIN predictions p ON p.seq = f.prediction_seq
    LEFT JOIN label_names pn ON pn.project_id = $project AND pn.name = p.label
    LEFT JOIN drawn d ON d.said_in = 'annotations' AND d.seq = f.seq
    LEFT JOIN drawn e ON e.said_in = 'predictions' AND e.seq = p.seq
    WHERE $what = 'kept' AND f.prelabel_shown
      AND (f.kind <> 'vote' OR f.label IS DISTINCT FROM coalesce(pn.today, p.label)
           OR d.shapes IS DISTINCT FROM e.shapes)
    UNION ALL
    SELECT f.item_id, f.person_id, f.label, coalesce(t.label, n.today, l.label), f.label
    FROM firsts f
    JOIN live l ON l.item_id = f.item_id AND l.person_id = f.person_id
    LEFT JOIN label_names n ON n.project_id = $project AND n.name = l.label
    LEFT JOIN truths($project, 'adjudicated') t ON t.item_id = f.item_id
    WHERE $what = 'reworked' AND f.label IS NOT NULL
      AND (l.kind <> 'vote' OR coalesce(n.today, l.label) IS DISTINCT FROM f.label
           OR coalesce(t.label <> f.label, false))
)
SELECT
    item_id, who, said, other AS truth, NULL AS seconds, NULL AS confidence, count(*) OVER () AS total
FROM found
WHERE $called = '' OR by_class = $called
ORDER BY item_id, who
LIMIT $most;
