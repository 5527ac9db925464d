"""Messages with their versions, searchable by words."""
