"""Schema migrations on a real PostgreSQL."""
