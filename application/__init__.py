"""Intentions: one use case a file. Loads an aggregate, calls it, saves it."""
