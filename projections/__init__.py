"""Events become tables, tables become answers. One folder a read model."""
