"""Read in pages what leaves as a file."""
