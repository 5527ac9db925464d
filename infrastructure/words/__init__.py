"""Words in memory: an inverted index that follows the messages read model."""
