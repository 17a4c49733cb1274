-- Every item of a project.
SELECT id FROM items WHERE project_id = $project ORDER BY id;
