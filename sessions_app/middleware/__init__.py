"""What stands before every upload: its size and how many at once."""
