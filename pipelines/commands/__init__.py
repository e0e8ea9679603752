"""The commands, and how what they return is shown."""
