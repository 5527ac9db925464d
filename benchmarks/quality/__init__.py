"""Search quality: every way to rank that was considered, on labelled messages."""
