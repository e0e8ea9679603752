"""What models learn from a client's own paths, and where it is kept."""
