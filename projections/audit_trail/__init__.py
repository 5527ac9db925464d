"""The audit trail: every event, in words."""
