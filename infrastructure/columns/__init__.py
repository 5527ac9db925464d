"""What is known of each message but its text, in columns: filters, neighbours, counts."""
