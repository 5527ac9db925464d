"""The state of the system as a whole: what is asked of it from outside."""
