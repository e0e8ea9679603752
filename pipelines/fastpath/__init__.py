"""Compute credit of what changed since the last run, without the warehouse."""
