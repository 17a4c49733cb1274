-- Whether a model said anything in a project: one row, or none.
SELECT seq FROM predictions WHERE project_id = $project LIMIT 1;
