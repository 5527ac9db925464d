"""Slack: the zip archive of a workspace."""
