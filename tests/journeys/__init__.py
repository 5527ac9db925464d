"""What a person does, end to end."""
