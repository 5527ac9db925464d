"""Search over the read models: by meaning, by words, fused."""
