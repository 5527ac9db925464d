"""Conversations and their titles."""
