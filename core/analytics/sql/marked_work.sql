-- The work behind a mark of a chart, slowest first: votes, skips, flags and decisions made here.
WITH done AS (
    SELECT
        seq, person_id, "at", active_seconds,
        "at" - lag("at") OVER (PARTITION BY person_id ORDER BY "at", seq) > $pause AS is_new
    FROM annotations
    WHERE $sitting IS NOT NULL AND project_id = $project AND batch_id IS NULL
      AND active_seconds > 0 AND kind IN ('vote', 'skip', 'flag')
),
numbered AS (
    SELECT
        *, count(*) FILTER (is_new) OVER (PARTITION BY person_id ORDER BY "at", seq) AS sitting
    FROM done
),
placed AS (
    SELECT
        seq,
        least($most_hours, CAST(floor(
            ("at" - min("at" - active_seconds) OVER (PARTITION BY person_id, sitting)) / 3600
        ) AS BIGINT)) AS since
    FROM numbered
),
work AS (
    SELECT
        a.seq, a.item_id, a.person_id AS who, a.kind, a.active_seconds AS seconds, a."at",
        coalesce(n.today, a.label) AS label, a.prelabel_shown
    FROM annotations a
    LEFT JOIN label_names n ON n.project_id = $project AND n.name = a.label
    WHERE a.project_id = $project AND a.batch_id IS NULL AND list_contains($kinds, a.kind)
      AND ($sitting IS NULL OR a.seq IN (SELECT seq FROM placed WHERE since = $sitting))
    UNION ALL
    SELECT NULL, item_id, person_id, 'decision', NULL, "at", label, NULL
    FROM decisions
    WHERE project_id = $project AND list_contains($kinds, 'decision')
),
agreement AS (
    SELECT
        item_id,
        CASE WHEN count(*) < 2 THEN 'alone' WHEN count(DISTINCT label) > 1 THEN 'split' ELSE 'same' END AS said
    FROM live_votes
    WHERE $agreement <> '' AND project_id = $project AND label IS NOT NULL
    GROUP BY item_id
),
sure AS (
    SELECT
        item_id,
        CASE WHEN confidence < 0.6 THEN 'low' WHEN confidence < 0.9 THEN 'middle' ELSE 'high' END AS how
    FROM latest_prediction
    WHERE $confidence <> '' AND project_id = $project AND confidence IS NOT NULL
)
SELECT item_id, who, label AS said, NULL AS truth, seconds, NULL AS confidence, count(*) OVER () AS total
FROM work
WHERE (len($people) = 0 OR list_contains($people, who))
  AND ($since IS NULL OR "at" >= $since)
  AND ($until IS NULL OR "at" < $until)
  AND ((len($uses) = 0 AND len($keys) = 0)
       OR item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
  AND ($said = '' OR label = $said)
  AND ($shown IS NULL OR prelabel_shown = $shown)
  AND ($timed IS NOT TRUE OR seconds > 0)
  AND ($fastest IS NULL OR seconds >= $fastest)
  AND ($slowest IS NULL OR seconds < $slowest)
  AND ($hour IS NULL OR date_part('hour', timezone($tz, to_timestamp("at"))) = $hour)
  AND ($agreement = '' OR item_id IN (SELECT item_id FROM agreement WHERE said = $agreement))
  AND ($confidence = '' OR item_id IN (SELECT item_id FROM sure WHERE how = $confidence))
ORDER BY seconds DESC NULLS LAST, "at" DESC, item_id, who
LIMIT $most;
