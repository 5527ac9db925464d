"""Moves read models along the log: steps, rebuilds, waiting for them."""
