-- How often statements equal the truth, by true class and speaker.
SELECT truth, who, own, count(*) AS n, count(*) FILTER (said = truth) AS correct
FROM pairs(
    $project, $whose, $people, $against, $prediction_set, $blind_only, $since, $until, $uses, $keys, $vals
)
WHERE truth IS NOT NULL AND said IS NOT NULL
GROUP BY ALL
ORDER BY truth, who, own;
