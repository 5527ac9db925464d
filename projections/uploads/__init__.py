"""Uploads: how far each has come, and what happened on the way."""
