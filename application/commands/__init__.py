"""Use cases that change something: a frozen command and its handler, one a file."""
