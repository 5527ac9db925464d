"""Decisions: aggregates, their events, value objects.

No I/O, no clock, no framework but eventsourcing.domain.
"""
