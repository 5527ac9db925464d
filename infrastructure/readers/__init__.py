"""Readers of chat exports, one format a file, all streaming."""
