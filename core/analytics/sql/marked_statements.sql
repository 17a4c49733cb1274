-- Statements beside a reference behind a mark of a chart: the wrong ones first, of them the surest.
-- A class is asked for as what is true, as what was said, or as either.
SELECT
    p.item_id, p.who, p.said, p.truth, NULL AS seconds, c.confidence, p.own,
    count(*) OVER (PARTITION BY p.own) AS total
FROM pairs(
    $project, $whose, $people, $against, $prediction_set, $blind_only, $since, $until, $uses, $keys, $vals
) p
LEFT JOIN predictions c ON p.said_in = 'predictions' AND c.seq = p.said_seq
WHERE p.truth IS NOT NULL AND p.said IS NOT NULL
  AND ($truth = '' OR p.truth = $truth)
  AND ($said = '' OR p.said = $said)
  AND ($either = '' OR p.said = $either OR p.truth = $either)
  AND (NOT $wrong_only OR p.said <> p.truth)
  AND ($surest IS NULL OR (c.confidence >= $least_sure AND c.confidence <= $surest))
ORDER BY p.own, p.said <> p.truth DESC, c.confidence DESC NULLS LAST, p.item_id, p.who
LIMIT $most;
