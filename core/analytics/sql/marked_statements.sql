-- Statements beside a reference behind a mark of a chart: the wrong ones first, of them the surest.
-- A class is asked for as what is true, as what was said, or as either. Statements the truth rests on
-- are left out wherever the comparison has any other, as in `independent`.
WITH pairs AS MATERIALIZED (
    FROM pairs(
        $project, $whose, $people, $against, $prediction_set, $blind_only, $since, $until, $uses, $keys, $vals
    )
    WHERE truth IS NOT NULL AND said IS NOT NULL
),
kept AS (
    FROM pairs WHERE NOT own OR NOT EXISTS (FROM pairs WHERE NOT own)
)
SELECT
    p.item_id, p.who, p.said, p.truth, NULL AS seconds, c.confidence, count(*) OVER () AS total
FROM kept p
LEFT JOIN predictions c ON p.said_in = 'predictions' AND c.seq = p.said_seq
WHERE ($truth = '' OR p.truth = $truth)
  AND ($said = '' OR p.said = $said)
  AND ($either = '' OR p.said = $either OR p.truth = $either)
  AND (NOT $wrong_only OR p.said <> p.truth)
  AND ($surest IS NULL OR (c.confidence >= $least_sure AND c.confidence <= $surest))
ORDER BY p.said <> p.truth DESC, c.confidence DESC NULLS LAST, p.item_id, p.who
LIMIT $most;
