-- The same as person_table.sql, over all time: counts from roll-ups, and for the median only the
-- votes of the bins it lies in.
WITH counted AS (
    SELECT person_id, kind, shown, bin, sum(n)::BIGINT AS n
    FROM live_counts
    WHERE project_id = $project AND kind <> 'withdraw'
    GROUP BY ALL
    HAVING sum(n) <> 0
),
said AS (
    SELECT
        person_id,
        coalesce(sum(n) FILTER (kind = 'vote'), 0)::BIGINT AS votes,
        coalesce(sum(n) FILTER (kind = 'vote' AND NOT shown), 0)::BIGINT AS blind_votes,
        coalesce(sum(n) FILTER (kind = 'skip'), 0)::BIGINT AS skips,
        coalesce(sum(n) FILTER (kind = 'flag'), 0)::BIGINT AS flags
    FROM counted
    GROUP BY person_id
),
binned AS (
    SELECT person_id, bin, sum(n)::BIGINT AS n FROM counted WHERE bin IS NOT NULL GROUP BY ALL
),
placed AS (
    SELECT
        person_id, bin, n,
        sum(n) OVER (PARTITION BY person_id ORDER BY bin) - n AS below,
        sum(n) OVER (PARTITION BY person_id)::BIGINT AS total
    FROM binned
),
wanted AS (
    SELECT * FROM placed WHERE total // 2 + 1 > below AND (total + 1) // 2 <= below + n
),
ordered AS (
    SELECT
        a.person_id, a.active_seconds AS seconds, w.total,
        w.below + row_number() OVER (PARTITION BY a.person_id, a.pace_bin ORDER BY a.active_seconds) AS place
    FROM annotations a
    JOIN wanted w ON w.person_id = a.person_id AND w.bin = a.pace_bin
    WHERE a.project_id = $project AND NOT a.superseded AND a.kind = 'vote'
),
middles AS (
    SELECT person_id, avg(seconds) AS seconds
    FROM ordered
    WHERE place IN ((total + 1) // 2, total // 2 + 1)
    GROUP BY person_id
),
gold AS (
    SELECT who, sum(n)::BIGINT AS n, coalesce(sum(n) FILTER (said = truth), 0)::BIGINT AS correct
    FROM pair_counts
    WHERE project_id = $project AND gold AND who IS NOT NULL
    GROUP BY who
)
SELECT
    p.id AS person_id, p.name AS person, p.kind, s.votes, s.blind_votes, s.skips, s.flags,
    m.seconds AS median_seconds, coalesce(g.n, 0) AS gold_n, coalesce(g.correct, 0) AS gold_correct
FROM said s
JOIN people p ON p.id = s.person_id
LEFT JOIN middles m ON m.person_id = s.person_id
LEFT JOIN gold g ON g.who = s.person_id
ORDER BY p.name;
