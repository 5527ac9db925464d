"""Ids that are nobody's."""

NOBODYS = "00000000-0000-4000-8000-000000000000"  # fixed: tests are named by it
