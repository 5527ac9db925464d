"""Translations between the world and the use cases. No decision is taken here."""
