-- What people's time on items comes to, by the class items ended as and by group of items (500
-- groups, drawn again for intervals). An item's first answer is labelling, all after it is review.
-- Where boxes are drawn, an item's time goes in equal parts to the boxes of its label.
WITH paid AS (SELECT unnest($payees::BIGINT[]) AS person_id, unnest($wages::DOUBLE[]) AS wage),
spent AS (
    SELECT
        a.item_id, count(*) FILTER (a.active_seconds > 0) AS timed,
        sum(a.active_seconds) FILTER (a.active_seconds > 0) AS seconds,
        arg_min(a.active_seconds, a.seq) FILTER (a.active_seconds > 0) AS labelling,
        sum(a.active_seconds / 3600 * coalesce(p.wage, $wage)) FILTER (a.active_seconds > 0) AS money,
        count(*) FILTER (a.kind = 'vote' AND NOT a.superseded) AS votes
    FROM annotations a
    LEFT JOIN paid p ON p.person_id = a.person_id
    WHERE a.project_id = $project AND a.batch_id IS NULL
      AND (len($people) = 0 OR list_contains($people, a.person_id))
      AND ($since IS NULL OR a."at" >= $since)
      AND ($until IS NULL OR a."at" < $until)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR a.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
    GROUP BY a.item_id
    HAVING timed > 0
),
-- The pre-label in force when people first looked, what it says called as today.
shown AS NOT MATERIALIZED (
    SELECT item_id, seq, prediction_seq
    FROM annotations
    WHERE project_id = $project AND prediction_seq IS NOT NULL
),
-- Of some items only where a filter leaves some: looking all of them up would take longer.
shown_there AS (
    FROM shown
    WHERE len($people) = 0 AND $since IS NULL AND $until IS NULL AND len($uses) = 0 AND len($keys) = 0
    UNION ALL
    FROM shown
    WHERE NOT (len($people) = 0 AND $since IS NULL AND $until IS NULL AND len($uses) = 0 AND len($keys) = 0)
      AND item_id IN (SELECT item_id FROM spent)
),
before AS (
    SELECT s.item_id, coalesce(n.today, p.label) AS label
    FROM (SELECT item_id, arg_min(prediction_seq, seq) AS seq FROM shown_there GROUP BY item_id) s
    JOIN predictions p ON p.seq = s.seq
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
    SELECT
        e.item_id, coalesce(n.today, r.label) AS label,
        count(*) / sum(count(*)) OVER (PARTITION BY e.item_id) AS share
    FROM ended e
    JOIN regions r ON r.said_in = 'final_labels' AND r.seq = e.seq
    LEFT JOIN label_names n ON n.project_id = $project AND n.name = r.label
    WHERE e.label IS NULL
    GROUP BY e.item_id, coalesce(n.today, r.label)
)
SELECT
    s.item_id % 500 AS part, coalesce(e.label, x.label) AS class, e.item_id IS NOT NULL AS ended,
    sum(coalesce(x.share, 1)) AS items,
    sum(coalesce(x.share, 1) * s.votes) AS votes,
    sum(coalesce(x.share, 1) * s.labelling) AS labelling,
    sum(coalesce(x.share, 1) * CASE WHEN s.timed > 1 THEN s.seconds - s.labelling ELSE 0 END) AS review,
    sum(coalesce(x.share, 1) * s.money) AS money,
    count(*) FILTER (b.label IS NOT NULL AND e.label IS NOT NULL) AS checked,
    coalesce(sum(s.seconds) FILTER (b.label IS NOT NULL AND e.label IS NOT NULL), 0) AS checking,
    coalesce(sum(s.money) FILTER (b.label IS NOT NULL AND e.label IS NOT NULL), 0) AS checking_money,
    count(*) FILTER (b.label <> e.label) AS corrected
FROM spent s
LEFT JOIN ended e ON e.item_id = s.item_id
LEFT JOIN boxes x ON x.item_id = s.item_id
LEFT JOIN before b ON b.item_id = s.item_id
GROUP BY ALL
ORDER BY ALL;
