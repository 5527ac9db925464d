"""Tests, by layer; journeys are what a person does."""
