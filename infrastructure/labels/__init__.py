"""What the commands about labels need to know of the archive."""
