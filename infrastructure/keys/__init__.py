"""Keys: the master key, one wrapped key per subject, pseudonyms."""
