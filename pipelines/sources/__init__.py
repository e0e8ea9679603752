"""The ways in: files that clients export, and the APIs of their platforms."""
