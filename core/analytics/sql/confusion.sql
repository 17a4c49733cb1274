-- What was said of items of each true class.
SELECT truth, said, own, count(*) AS n
FROM pairs(
    $project, $whose, $people, $against, $prediction_set, $blind_only, $since, $until, $uses, $keys, $vals
)
WHERE truth IS NOT NULL AND said IS NOT NULL
GROUP BY ALL
ORDER BY truth, said, own;
