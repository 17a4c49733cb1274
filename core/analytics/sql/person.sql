-- The number of each person with one of these names.
SELECT id, name FROM people WHERE list_contains($names, name) ORDER BY id;
