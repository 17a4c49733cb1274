-- Everybody whose last word on any item is not that it was withdrawn.
SELECT name
FROM people
WHERE id IN (
    SELECT person_id
    FROM live_counts
    WHERE project_id = $project AND kind <> 'withdraw'
    GROUP BY person_id, kind
    HAVING sum(n) > 0
)
ORDER BY name;
