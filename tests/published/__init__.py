"""Tests of the published files."""
