"""The system of record: tables, migrations, transactions, backup."""
