"""Factories, fakes, the template database."""
