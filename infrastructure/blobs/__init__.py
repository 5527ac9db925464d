"""Encrypted, content-addressed storage of uploaded files."""
