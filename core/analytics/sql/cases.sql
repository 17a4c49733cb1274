-- The items behind one cell of the confusion: said to be one class, truly of another.
SELECT p.item_id, p.who, p.own, c.confidence
FROM pairs(
    $project, $whose, $people, $against, $prediction_set, $blind_only, $since, $until, $uses, $keys, $vals
) p
LEFT JOIN predictions c ON p.said_in = 'predictions' AND c.seq = p.said_seq
WHERE p.truth = $truth AND p.said = $said
ORDER BY p.own, c.confidence DESC NULLS LAST, p.item_id, p.who
LIMIT $most;
