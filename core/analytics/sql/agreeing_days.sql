-- How often two live votes on one item say the same, by day and version of the guideline of the
-- later of the two: the outcome that needs no reference. An item counts once a day and version, however
-- many voted, with the share of its pairs of votes that say the same.
WITH both_said AS (
    SELECT
        a.item_id,
        CAST(timezone($tz, to_timestamp(greatest(a."at", b."at"))) AS DATE) AS day,
        CASE WHEN b."at" >= a."at" THEN b.guideline_version ELSE a.guideline_version END AS version,
        CASE WHEN a.label = b.label THEN 1.0 ELSE 0.0 END AS same
    FROM live_votes a
    JOIN live_votes b ON b.item_id = a.item_id AND b.person_id > a.person_id
    WHERE a.project_id = $project AND b.project_id = $project
      AND a.label IS NOT NULL AND b.label IS NOT NULL
      AND a.batch_id IS NULL AND b.batch_id IS NULL
      AND NOT ($blind_only AND (a.prelabel_shown OR b.prelabel_shown))
      AND ($since IS NULL OR (a."at" >= $since AND b."at" >= $since))
      AND ($until IS NULL OR (a."at" < $until AND b."at" < $until))
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR a.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
),
items_then AS (
    SELECT day, version, item_id, avg(same) AS share FROM both_said GROUP BY ALL
)
SELECT day, version, share, count(*) AS n FROM items_then GROUP BY ALL ORDER BY ALL;
