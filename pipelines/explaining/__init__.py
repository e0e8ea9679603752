"""Explain published numbers: what one was made of, and why they moved."""
