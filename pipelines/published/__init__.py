"""The published files: what outsiders read, in versions that nobody locks."""
