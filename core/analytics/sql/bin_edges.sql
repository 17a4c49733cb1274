-- Fifths of a numeric column over all items that have a number; ends are values that occur.
SELECT
    count(DISTINCT number) AS numbers,
    quantile_disc(number, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]) AS edges
FROM item_values
WHERE project_id = $project AND key = $column AND number IS NOT NULL;
