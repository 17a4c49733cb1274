-- What each speaker said of items of each true class: the counts precision and recall are made of.
SELECT truth, said, who, own, count(*) AS n
FROM pairs(
    $project, $whose, $people, $against, $prediction_set, $blind_only, $since, $until, $uses, $keys, $vals
)
WHERE truth IS NOT NULL AND said IS NOT NULL
GROUP BY ALL
ORDER BY truth, said, who, own;
