"""The way out: what is published, in forms that others read."""
