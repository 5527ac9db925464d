"""Use cases with fakes at the ports."""
