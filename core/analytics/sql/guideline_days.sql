-- How often votes were right, by day, version of the guideline they were given under, and person.
SELECT
    CAST(timezone($tz, to_timestamp(a."at")) AS DATE) AS day, a.guideline_version AS version,
    p.who, p.own, count(*) AS n, count(*) FILTER (p.said = p.truth) AS correct
FROM pairs(
    $project, $whose, $people, $against, $prediction_set, $blind_only, $since, $until, $uses, $keys, $vals
) p
JOIN annotations a ON p.said_in = 'annotations' AND a.seq = p.said_seq
WHERE p.truth IS NOT NULL AND p.said IS NOT NULL AND a.batch_id IS NULL
GROUP BY ALL
ORDER BY ALL;
