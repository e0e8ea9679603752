"""The library of attribution models: plain functions that return SQL and know no settings."""
