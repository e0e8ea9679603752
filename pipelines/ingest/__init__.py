"""Validate what is delivered, compare it with the lake, and append what changed."""
