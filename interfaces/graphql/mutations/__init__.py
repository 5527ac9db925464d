"""What can be changed. A mutation becomes a command, no more."""
