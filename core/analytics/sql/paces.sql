-- Timed answers given here, by what they are grouped by, person and day. An item counts on the day
-- of the person's first answer on it. Clocks change on quarter hours.
WITH work AS (
    SELECT
        a.item_id, a.person_id, a.active_seconds AS seconds,
        CASE WHEN a."at" > a.started_at THEN greatest(a."at" - a.started_at, a.active_seconds) END AS elapsed,
        CAST(floor(a."at" / 900) AS BIGINT) AS quarter, a.prelabel_shown,
        coalesce(n.today, a.label) AS label,
        row_number() OVER (PARTITION BY a.item_id, a.person_id ORDER BY a.seq) = 1 AS is_first
    FROM annotations a
    LEFT JOIN label_names n ON n.project_id = a.project_id AND n.name = a.label
    WHERE a.project_id = $project AND a.batch_id IS NULL AND a.active_seconds > 0
      AND a.kind IN ('vote', 'skip', 'flag')
      AND (len($people) = 0 OR list_contains($people, a.person_id))
      AND ($since IS NULL OR a."at" >= $since)
      AND ($until IS NULL OR a."at" < $until)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR a.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
),
agreement AS (
    SELECT
        item_id,
        CASE WHEN count(*) < 2 THEN 'alone' WHEN count(DISTINCT label) > 1 THEN 'split' ELSE 'same' END AS said
    FROM live_votes
    WHERE $by = 'agreement' AND project_id = $project AND label IS NOT NULL
    GROUP BY item_id
),
sure AS (
    SELECT
        item_id,
        CASE WHEN confidence < 0.6 THEN 'low' WHEN confidence < 0.9 THEN 'middle' ELSE 'high' END AS how
    FROM latest_prediction
    WHERE $by = 'confidence' AND project_id = $project AND confidence IS NOT NULL
),
days AS (
    SELECT quarter, CAST(timezone($tz, to_timestamp(quarter * 900.0)) AS DATE) AS day
    FROM (SELECT DISTINCT quarter FROM work)
)
SELECT
    CASE $by
        WHEN 'person' THEN p.name
        WHEN 'team' THEN coalesce(t.team, '')
        WHEN 'class' THEN w.label
        WHEN 'agreement' THEN g.said
        WHEN 'confidence' THEN s.how
        ELSE CASE WHEN w.prelabel_shown THEN 'shown' ELSE 'hidden' END
    END AS key,
    w.person_id, d.day,
    count(*) FILTER (w.is_first) AS items,
    count(*) AS answers,
    sum(w.seconds) AS seconds,
    coalesce(sum(w.seconds) FILTER (w.elapsed IS NOT NULL), 0) AS beside,
    coalesce(sum(w.elapsed), 0) AS elapsed
FROM work w
JOIN days d ON d.quarter = w.quarter
JOIN people p ON p.id = w.person_id
LEFT JOIN agreement g ON g.item_id = w.item_id
LEFT JOIN sure s ON s.item_id = w.item_id
LEFT JOIN (SELECT person_id, arg_max(team, seq) AS team FROM team_moves GROUP BY person_id) t
    ON t.person_id = w.person_id
GROUP BY ALL
HAVING key IS NOT NULL
ORDER BY ALL;
