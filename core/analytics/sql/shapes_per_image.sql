-- Regions by class on each image both sides answered: how many, and the area of their bounding boxes
-- in square pixels, truly and as said. Classes on neither side are not listed.
WITH chosen AS (
    SELECT row_number() OVER (ORDER BY item_id, who) AS pair, *
    FROM pairs(
        $project, $whose, $people, $against, $prediction_set, $blind_only, $since, $until, $uses, $keys, $vals
    )
),
sides AS (
    SELECT pair, true AS is_truth, truth_in AS said_in, truth_seq AS seq FROM chosen
    UNION ALL
    SELECT pair, false, said_in, said_seq FROM chosen
),
drawn AS (
    SELECT
        s.pair, coalesce(n.today, r.label) AS label,
        count(*) FILTER (s.is_truth) AS true_count,
        count(*) FILTER (NOT s.is_truth) AS said_count,
        coalesce(sum((r.x2 - r.x1) * (r.y2 - r.y1)) FILTER (s.is_truth), 0) AS true_area,
        coalesce(sum((r.x2 - r.x1) * (r.y2 - r.y1)) FILTER (NOT s.is_truth), 0) AS said_area
    FROM sides s
    JOIN regions r ON r.said_in = s.said_in AND r.seq = s.seq
    LEFT JOIN label_names n ON n.project_id = $project AND n.name = r.label
    GROUP BY ALL
)
SELECT c.pair, c.item_id, c.who, c.own, d.label, d.true_count, d.said_count, d.true_area, d.said_area
FROM chosen c
LEFT JOIN drawn d ON d.pair = c.pair
ORDER BY c.pair, d.label;
