"""Run every client's morning: compute, audit, publish, and promote changes."""
