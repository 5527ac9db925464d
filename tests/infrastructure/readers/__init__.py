"""Readers: real exports, hostile ones, and exports written by the tests themselves."""
