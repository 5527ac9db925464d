"""What the archive knows already, for who looks whether an export tells it again."""
