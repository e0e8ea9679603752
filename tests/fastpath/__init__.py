"""Credit of what changed since the last run is computed without the warehouse."""
