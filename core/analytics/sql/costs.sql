-- What people's time on items comes to, by the class items ended as and by group of items (500
-- groups, drawn again for intervals). An item's first answer is labelling, all after it is review.
-- Where boxes are drawn, an item's time goes in equal parts to the boxes of its label.
WITH paid AS (SELECT unnest($payees::BIGINT[]) AS person_id, unnest($wages::DOUBLE[]) AS wage),
work AS (
    SELECT
        a.item_id, a.active_seconds AS seconds,
        a.active_seconds / 3600 * coalesce(p.wage, $wage) AS money,
        row_number() OVER (PARTITION BY a.item_id ORDER BY a.seq) = 1 AS is_first
    FROM annotations a
    LEFT JOIN paid p ON p.person_id = a.person_id
    WHERE a.project_id = $project AND a.batch_id IS NULL AND a.active_seconds > 0
      AND (len($people) = 0 OR list_contains($people, a.person_id))
      AND ($since IS NULL OR a."at" >= $since)
      AND ($until IS NULL OR a."at" < $until)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR a.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
),
spent AS (
    SELECT
        item_id,
        coalesce(sum(seconds) FILTER (is_first), 0) AS labelling,
        coalesce(sum(seconds) FILTER (NOT is_first), 0) AS review,
        sum(money) AS money
    FROM work
    GROUP BY item_id
),
votes AS (
    SELECT item_id, count(*) AS n
    FROM live_votes
    WHERE project_id = $project AND batch_id IS NULL
      AND (len($people) = 0 OR list_contains($people, person_id))
      AND ($since IS NULL OR "at" >= $since)
      AND ($until IS NULL OR "at" < $until)
    GROUP BY item_id
),
-- The pre-label in force when people first looked, what it says called as today.
before AS (
    SELECT a.item_id, coalesce(n.today, p.label) AS label
    FROM (
        SELECT item_id, arg_min(prediction_seq, seq) AS prediction_seq
        FROM annotations
        WHERE project_id = $project AND prediction_seq IS NOT NULL
        GROUP BY item_id
    ) a
    JOIN predictions p ON p.seq = a.prediction_seq
    LEFT JOIN label_names n ON n.project_id = $project AND n.name = p.label
    WHERE p.label IS NOT NULL
),
ended AS (
    SELECT f.item_id, f.seq, coalesce(n.today, f.label) AS label
    FROM final f
    LEFT JOIN label_names n ON n.project_id = f.project_id AND n.name = f.label
    WHERE f.project_id = $project AND f.state IN ('agreed', 'adjudicated')
),
boxes AS (
    SELECT e.item_id, coalesce(n.today, r.label) AS label, count(*) AS boxes
    FROM ended e
    JOIN regions r ON r.said_in = 'final_labels' AND r.seq = e.seq
    LEFT JOIN label_names n ON n.project_id = $project AND n.name = r.label
    WHERE e.label IS NULL
    GROUP BY ALL
),
classes AS (
    SELECT item_id, label, 1.0 AS share FROM ended WHERE label IS NOT NULL
    UNION ALL
    SELECT item_id, label, boxes / sum(boxes) OVER (PARTITION BY item_id) FROM boxes
)
SELECT
    s.item_id % 500 AS part, c.label AS class, e.item_id IS NOT NULL AS ended,
    sum(coalesce(c.share, 1)) AS items,
    sum(coalesce(c.share, 1) * coalesce(v.n, 0)) AS votes,
    sum(coalesce(c.share, 1) * s.labelling) AS labelling,
    sum(coalesce(c.share, 1) * s.review) AS review,
    sum(coalesce(c.share, 1) * s.money) AS money,
    count(*) FILTER (b.label IS NOT NULL AND e.label IS NOT NULL) AS checked,
    coalesce(sum(s.labelling + s.review) FILTER (b.label IS NOT NULL AND e.label IS NOT NULL), 0) AS checking,
    coalesce(sum(s.money) FILTER (b.label IS NOT NULL AND e.label IS NOT NULL), 0) AS checking_money,
    count(*) FILTER (b.label <> e.label) AS corrected
FROM spent s
LEFT JOIN ended e ON e.item_id = s.item_id
LEFT JOIN classes c ON c.item_id = s.item_id
LEFT JOIN votes v ON v.item_id = s.item_id
LEFT JOIN before b ON b.item_id = s.item_id
GROUP BY ALL
ORDER BY ALL;
