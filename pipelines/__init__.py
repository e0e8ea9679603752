"""The way in: settings, sources, and the log that they append to."""
