"""Measurements against the obvious alternative, in one run each. Not part of the tests."""
