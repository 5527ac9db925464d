"""Vectors of texts, searchable by meaning."""
