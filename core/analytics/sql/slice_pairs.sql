-- Every statement beside the truth, one row each, with when and under what it was made.
SELECT
    p.item_id, p.who, p.own, p.truth, p.said = p.truth AS is_right,
    coalesce(a."at", s."at") AS "at", a.prelabel_shown, a.guideline_version, s.name AS model
FROM pairs(
    $project, $whose, $people, $against, $prediction_set, $blind_only, $since, $until, $uses, $keys, $vals
) p
LEFT JOIN annotations a ON p.said_in = 'annotations' AND a.seq = p.said_seq
LEFT JOIN predictions c ON p.said_in = 'predictions' AND c.seq = p.said_seq
LEFT JOIN prediction_sets s ON s.id = c.set_id
WHERE p.truth IS NOT NULL AND p.said IS NOT NULL
ORDER BY p.item_id, p.who;
