"""CSV and JSON lines: any columns, guessed or named by a person."""
