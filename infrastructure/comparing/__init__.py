"""What an export would bring to the archive, by the read model of its messages."""
