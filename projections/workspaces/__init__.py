"""Workspaces by name."""
