"""Tests of what an export tells again."""
