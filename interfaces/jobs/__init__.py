"""Jobs: a message from the queue becomes a command, no more."""
