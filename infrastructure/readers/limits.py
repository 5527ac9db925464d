"""How much of a hostile or broken export the readers are willing to take in."""

from __future__ import annotations

MEBIBYTE = 1024 * 1024

CHUNK = 256 * 1024  # bytes read at a time
SNIFF = 128 * 1024  # bytes looked at to recognise a format
MESSAGE_LIMIT = 8 * MEBIBYTE  # bytes of one line or one message; the rest of it is cut off
# Of a line or a cell of CSV: its parser takes four bytes for a character, and as many once more.
CELL_LIMIT = 3 * MEBIBYTE
DEPTH_LIMIT = 100  # levels of nested JSON in one message
HELD_WARNINGS = 1000  # warnings kept back until the first readable item
