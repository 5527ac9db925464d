"""Labels, and what they are on."""
