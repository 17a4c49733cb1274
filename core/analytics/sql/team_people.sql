-- The people of some teams; '' asks for people of none. The newest move of a person counts.
SELECT p.id
FROM people p
LEFT JOIN (SELECT person_id, arg_max(team, seq) AS team FROM team_moves GROUP BY person_id) t
    ON t.person_id = p.id
WHERE list_contains($teams, coalesce(t.team, ''))
ORDER BY p.id;
