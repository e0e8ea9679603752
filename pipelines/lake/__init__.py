"""The raw log: append loads, and read those that are committed."""
