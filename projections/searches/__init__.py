"""What people have searched for, each for themselves."""
