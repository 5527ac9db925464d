"""Procrastinate: the app, the supervised worker, the reaper, the sweeper."""
