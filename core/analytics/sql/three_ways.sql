-- Items that the model, people and their majority all answered and that have a reference resting on
-- none of them: how many of the votes are right, and whether the model and the majority are. An
-- even split has no majority and is left out.
WITH votes AS (
    SELECT p.item_id, p.who, p.said, p.truth
    FROM pairs(
        $project, 'people', $people, $against, NULL, $blind_only, $since, $until, $uses, $keys, $vals
    ) p
    WHERE p.truth IS NOT NULL AND p.said IS NOT NULL AND NOT p.own
),
counted AS (
    SELECT item_id, truth, said, count(*) AS n FROM votes GROUP BY ALL
),
ranked AS (
    SELECT
        item_id, truth, sum(n) AS votes,
        sum(n) FILTER (said = truth) AS votes_right,
        max(n) AS most,
        arg_max(said, n) AS majority
    FROM counted
    GROUP BY item_id, truth
    HAVING sum(n) > 1
),
settled AS (
    FROM ranked r
    WHERE (SELECT count(*) FROM counted c WHERE c.item_id = r.item_id AND c.n = r.most) = 1
),
models AS (
    SELECT item_id, said
    FROM pairs(
        $project, 'model', [], $against, $prediction_set, false, NULL, NULL, $uses, $keys, $vals
    )
    WHERE said IS NOT NULL AND truth IS NOT NULL AND NOT own
)
SELECT
    s.votes::BIGINT AS votes, coalesce(s.votes_right, 0)::BIGINT AS votes_right,
    m.said = s.truth AS model_right, s.majority = s.truth AS majority_right, count(*) AS items
FROM settled s
JOIN models m ON m.item_id = s.item_id
GROUP BY ALL
ORDER BY ALL;
