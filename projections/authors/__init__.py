"""Authors and the names they went by."""
