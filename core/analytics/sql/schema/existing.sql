SELECT 'VIEW' AS kind, view_name AS name FROM duckdb_views() WHERE NOT internal AND database_name = current_database()
UNION ALL
SELECT 'TABLE', table_name FROM duckdb_tables() WHERE NOT internal AND database_name = current_database()
UNION ALL
SELECT 'MACRO TABLE', function_name FROM duckdb_functions()
WHERE NOT internal AND function_type = 'table_macro' AND database_name = current_database();
