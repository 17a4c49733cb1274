-- The boxes of both sides of every pair, one row a box; a side without boxes still has a row.
WITH chosen AS (
    SELECT row_number() OVER (ORDER BY item_id, who) AS pair, *
    FROM pairs(
        $project, $whose, $people, $against, $prediction_set, $blind_only, $since, $until, $uses, $keys, $vals
    )
),
sides AS (
    SELECT pair, item_id, who, own, true AS is_truth, truth_in AS said_in, truth_seq AS seq FROM chosen
    UNION ALL
    SELECT pair, item_id, who, own, false, said_in, said_seq FROM chosen
)
SELECT
    s.pair, s.item_id, s.who, s.own, s.is_truth, coalesce(n.today, r.label) AS label,
    r.x1, r.y1, r.x2, r.y2
FROM sides s
LEFT JOIN regions r ON r.said_in = s.said_in AND r.seq = s.seq
LEFT JOIN label_names n ON n.project_id = $project AND n.name = r.label
ORDER BY s.pair, s.is_truth, r.place;
