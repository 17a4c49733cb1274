-- Timed answers given here, by what they are grouped by, person and day. An item counts on the day
-- of the person's first answer on it. Clocks change on quarter hours, so each quarter hour is converted once.
WITH chosen AS NOT MATERIALIZED (
    SELECT
        seq, item_id, person_id, revision, label, prelabel_shown, active_seconds AS seconds, "at", started_at,
        CAST(floor("at" / 900) AS BIGINT) AS quarter
    FROM annotations
    WHERE project_id = $project AND batch_id IS NULL AND active_seconds > 0
      AND kind IN ('vote', 'skip', 'flag')
      AND (len($people) = 0 OR list_contains($people, person_id))
      AND ($since IS NULL OR "at" >= $since)
      AND ($until IS NULL OR "at" < $until)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
),
-- Only who revised an answer has several on an item: the others need not be put in order.
further AS (
    SELECT seq
    FROM chosen
    SEMI JOIN (SELECT item_id, person_id FROM chosen WHERE revision > 1) USING (item_id, person_id)
    QUALIFY row_number() OVER (PARTITION BY item_id, person_id ORDER BY seq) > 1
),
days AS (
    SELECT quarter, CAST(timezone($tz, to_timestamp(quarter * 900.0)) AS DATE) AS day
    FROM (SELECT DISTINCT quarter FROM chosen)
),
agreement AS (
    SELECT
        item_id,
        CASE WHEN count(*) < 2 THEN 'alone' WHEN min(label) <> max(label) THEN 'split' ELSE 'same' END AS said
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
keyed AS (
    SELECT
        c.*, f.seq IS NULL AS is_first,
        CASE $by
            WHEN 'class' THEN c.label
            WHEN 'agreement' THEN g.said
            WHEN 'confidence' THEN s.how
            WHEN 'prelabel' THEN CASE WHEN c.prelabel_shown THEN 'shown' ELSE 'hidden' END
            ELSE ''
        END AS part
    FROM chosen c
    LEFT JOIN further f ON f.seq = c.seq
    LEFT JOIN agreement g ON g.item_id = c.item_id
    LEFT JOIN sure s ON s.item_id = c.item_id
),
added AS (
    SELECT
        k.part, k.person_id, d.day,
        count(*) FILTER (k.is_first) AS items,
        count(*) AS answers,
        sum(k.seconds) AS seconds,
        coalesce(sum(k.seconds) FILTER (k."at" > k.started_at), 0) AS beside,
        coalesce(sum(greatest(k."at" - k.started_at, k.seconds)) FILTER (k."at" > k.started_at), 0) AS elapsed
    FROM keyed k
    JOIN days d ON d.quarter = k.quarter
    WHERE k.part IS NOT NULL
    GROUP BY k.part, k.person_id, d.day
),
named AS (
    SELECT
        a.*,
        CASE $by
            WHEN 'person' THEN p.name
            WHEN 'team' THEN coalesce(t.team, '')
            WHEN 'class' THEN coalesce(n.today, a.part)
            ELSE a.part
        END AS key
    FROM added a
    JOIN people p ON p.id = a.person_id
    LEFT JOIN label_names n ON n.project_id = $project AND n.name = a.part
    LEFT JOIN (SELECT person_id, arg_max(team, seq) AS team FROM team_moves GROUP BY person_id) t
        ON t.person_id = a.person_id
)
SELECT
    key, person_id, day, sum(items)::BIGINT AS items, sum(answers)::BIGINT AS answers,
    sum(seconds) AS seconds, sum(beside) AS beside, sum(elapsed) AS elapsed
FROM named
GROUP BY key, person_id, day
ORDER BY key, person_id, day;
