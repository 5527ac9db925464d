"""Read model: saved searches, each for whoever saved it."""
