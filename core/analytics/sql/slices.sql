-- Accuracy by the value of one metadata column; long numeric columns by bin, numbered from 1.
-- `edges` are the upper ends of all bins but the last, empty for no binning. Values beyond the
-- `most` most frequent ones are pooled: no chart draws them, but they belong to the rest.
WITH cut AS (
    SELECT
        item_id,
        CASE WHEN len($edges) > 0 AND number IS NOT NULL
             THEN 1 + len(list_filter($edges::DOUBLE[], lambda edge: number > edge)) END AS bin,
        CASE WHEN len($edges) = 0 OR number IS NULL THEN value END AS value
    FROM item_values
    WHERE project_id = $project AND key = $column
),
counted AS (
    SELECT c.bin, c.value, p.own, p.who, count(*) AS n, count(*) FILTER (p.said = p.truth) AS correct
    FROM pairs(
        $project, $whose, $people, $against, $prediction_set, $blind_only, $since, $until, $uses, $keys, $vals
    ) p
    LEFT JOIN cut c ON c.item_id = p.item_id
    WHERE p.truth IS NOT NULL AND p.said IS NOT NULL
    GROUP BY ALL
),
ranked AS (
    SELECT bin, value, row_number() OVER (ORDER BY sum(n) DESC, bin, value) > $most AS pooled
    FROM counted
    GROUP BY bin, value
)
SELECT
    r.pooled,
    CASE WHEN NOT r.pooled THEN c.bin END AS bin,
    CASE WHEN NOT r.pooled THEN c.value END AS value,
    c.own, c.who,
    sum(c.n)::BIGINT AS n,
    sum(c.correct)::BIGINT AS correct,
    (SELECT count(*) FROM ranked WHERE pooled) AS omitted
FROM counted c
JOIN ranked r ON r.bin IS NOT DISTINCT FROM c.bin AND r.value IS NOT DISTINCT FROM c.value
GROUP BY ALL
ORDER BY ALL;
