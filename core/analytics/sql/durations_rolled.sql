-- The same as durations.sql, over all time: the roll-up says in which bins the order statistics
-- lie, so only the votes of these few bins are put in order.
WITH counted AS (
    SELECT person_id, bin, sum(n)::BIGINT AS n
    FROM done_paces
    WHERE project_id = $project AND (len($people) = 0 OR list_contains($people, person_id))
    GROUP BY ALL
),
placed AS (
    SELECT
        person_id, bin, n,
        sum(n) OVER (PARTITION BY person_id ORDER BY bin) - n AS below,
        sum(n) OVER (PARTITION BY person_id)::BIGINT AS total
    FROM counted
),
asked AS (
    SELECT
        person_id, total AS n,
        [
            (total + 1) // 2, total // 2 + 1,
            greatest(1, floor(total / 2.0 - 0.98 * sqrt(total)))::BIGINT,
            least(total, ceil(1 + total / 2.0 + 0.98 * sqrt(total)))::BIGINT,
            1 + floor(0.9::DOUBLE * (total - 1))::BIGINT, 1 + ceil(0.9::DOUBLE * (total - 1))::BIGINT
        ] AS places
    FROM (SELECT DISTINCT person_id, total FROM placed)
),
wanted AS (
    SELECT DISTINCT p.person_id, p.bin, p.below
    FROM placed p
    JOIN (SELECT person_id, unnest(places) AS place FROM asked) a
      ON a.person_id = p.person_id AND a.place > p.below AND a.place <= p.below + p.n
),
ordered AS (
    SELECT
        a.person_id, a.active_seconds AS seconds,
        w.below + row_number() OVER (PARTITION BY a.person_id, a.pace_bin ORDER BY a.active_seconds) AS place
    FROM annotations a
    JOIN wanted w ON w.person_id = a.person_id AND w.bin = a.pace_bin
    WHERE a.project_id = $project AND a.batch_id IS NULL AND a.kind = 'vote'
),
found AS (
    SELECT
        q.person_id, q.n, 0.9::DOUBLE * (q.n - 1) AS ninth_place,
        [max(o.seconds) FILTER (o.place = q.places[1]), max(o.seconds) FILTER (o.place = q.places[2]),
         max(o.seconds) FILTER (o.place = q.places[3]), max(o.seconds) FILTER (o.place = q.places[4]),
         max(o.seconds) FILTER (o.place = q.places[5]), max(o.seconds) FILTER (o.place = q.places[6])] AS at_place
    FROM asked q
    JOIN ordered o ON o.person_id = q.person_id
    GROUP BY ALL
)
SELECT
    p.name AS person, f.n, (f.at_place[1] + f.at_place[2]) / 2 AS middle,
    f.at_place[3] AS low, f.at_place[4] AS high,
    f.at_place[5] + (f.at_place[6] - f.at_place[5]) * (f.ninth_place - floor(f.ninth_place)) AS ninth
FROM found f
JOIN people p ON p.id = f.person_id
ORDER BY p.name;
