"""Translations: shapes and errors."""
