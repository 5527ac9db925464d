"""Which conversation of the archive an export tells of, and which messages are the same."""
