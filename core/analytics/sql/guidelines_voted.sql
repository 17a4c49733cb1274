-- Under which versions of the guideline the live votes were given, and how many under each.
SELECT guideline_version AS version, count(*) AS votes
FROM live_votes
WHERE project_id = $project
GROUP BY ALL
ORDER BY ALL;
