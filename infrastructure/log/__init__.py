"""The event log: recorder, group appender, mapper, reader."""
