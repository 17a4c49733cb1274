-- How sure the model was of each prediction that has a reference, and whether it was right.
SELECT coalesce(p.own, false) AS own, c.confidence, p.said = p.truth AS is_right
FROM pairs(
    $project, $whose, $people, $against, $prediction_set, $blind_only, $since, $until, $uses, $keys, $vals
) p
JOIN predictions c ON p.said_in = 'predictions' AND c.seq = p.said_seq
WHERE p.truth IS NOT NULL AND p.said IS NOT NULL AND c.confidence BETWEEN 0 AND 1;
