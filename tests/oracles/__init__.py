"""Compute what the models should say, in plain Python, to compare with."""
