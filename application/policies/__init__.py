"""When X happened, ask for Y: one sentence a file."""
