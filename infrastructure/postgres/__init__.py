"""PostgreSQL: connection pools, the embedded server, migrations."""
