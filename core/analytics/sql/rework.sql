-- Of everybody's first votes on items, by class voted for: how many they took back or changed later
-- themselves, and how many a lead overturned by deciding for another class.
WITH firsts AS (
    SELECT a.item_id, a.person_id, coalesce(n.today, a.label) AS label
    FROM annotations a
    LEFT JOIN label_names n ON n.project_id = $project AND n.name = a.label
    WHERE a.project_id = $project
      AND a.revision = 1
      AND a.batch_id IS NULL
      AND a.kind = 'vote'
      AND a.label IS NOT NULL
      AND (len($people) = 0 OR list_contains($people, a.person_id))
      AND ($since IS NULL OR a."at" >= $since)
      AND ($until IS NULL OR a."at" < $until)
      AND ((len($uses) = 0 AND len($keys) = 0)
           OR a.item_id IN (SELECT item_id FROM chosen_items($project, $uses, $keys, $vals)))
),
-- Only who answered again says something else now.
later AS (
    SELECT l.item_id, l.person_id, l.kind, coalesce(n.today, l.label) AS label
    FROM live l
    LEFT JOIN label_names n ON n.project_id = $project AND n.name = l.label
    WHERE l.project_id = $project AND l.revision > 1
),
ends AS (
    SELECT
        f.person_id, f.label, t.label AS decided,
        l.item_id IS NOT NULL AND (l.kind <> 'vote' OR l.label IS DISTINCT FROM f.label) AS is_revised
    FROM firsts f
    LEFT JOIN later l ON l.item_id = f.item_id AND l.person_id = f.person_id
    LEFT JOIN truths($project, 'adjudicated') t ON t.item_id = f.item_id
)
SELECT
    person_id AS who, label, count(*) AS n,
    count(*) FILTER (is_revised) AS revised,
    count(*) FILTER (decided <> label) AS overturned,
    count(*) FILTER (is_revised OR coalesce(decided <> label, false)) AS reworked
FROM ends
GROUP BY ALL
ORDER BY ALL;
