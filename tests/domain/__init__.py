"""Pure tests of decisions."""
