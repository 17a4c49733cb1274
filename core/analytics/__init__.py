"""The DuckDB replica and its questions, one .sql file each."""
