-- The first vote of each person on each item: whether it was done again, and whether a lead's
-- ruling says otherwise. An item sent back is done again by whoever had voted on it.
WITH first AS (
    SELECT item_id, person_id, min(seq) AS seq
    FROM annotations
    WHERE project_id = $project AND kind = 'vote'
      AND (len($people) = 0 OR list_contains($people, person_id))
      AND NOT ($blind_only AND prelabel_shown)
      AND ($since IS NULL OR "at" >= $since)
      AND ($until IS NULL OR "at" < $until)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
    GROUP BY item_id, person_id
),
again AS (
    SELECT DISTINCT f.seq
    FROM first f
    JOIN annotations a ON a.item_id = f.item_id AND a.person_id = f.person_id AND a.seq > f.seq
    WHERE a.kind IN ('vote', 'withdraw')
    UNION
    SELECT f.seq
    FROM first f
    JOIN decisions d ON d.item_id = f.item_id AND d.kind = 'send-back'
    JOIN annotations v ON v.seq = f.seq AND v."at" <= d."at"
)
SELECT
    v.item_id, v.person_id AS who, v."at", v.prelabel_shown, v.guideline_version,
    v.seq IN (FROM again) AS redone,
    t.seq IS NOT NULL AS settled,
    t.state = 'adjudicated' AND coalesce(n.today, v.label) IS DISTINCT FROM coalesce(m.today, t.label)
        AS refused
FROM first f
JOIN annotations v ON v.seq = f.seq
LEFT JOIN final t ON t.item_id = v.item_id AND t.state IN ('agreed', 'adjudicated')
LEFT JOIN label_names n ON n.project_id = v.project_id AND n.name = v.label
LEFT JOIN label_names m ON m.project_id = v.project_id AND m.name = t.label
ORDER BY v.item_id, who;
