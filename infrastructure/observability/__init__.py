"""How code says what it does: metrics and traces. Imports nothing of what it observes."""
