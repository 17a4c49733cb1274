-- The same as person_agreement.sql, over all time.
SELECT person_id, others, same, sum(items)::BIGINT AS items
FROM agreement_counts
WHERE project_id = $project
GROUP BY person_id, others, same
HAVING sum(items) <> 0
ORDER BY ALL;
