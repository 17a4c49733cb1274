-- Everybody's name.
SELECT id, name FROM people ORDER BY id;
