"""What every read model offers the runner."""
