"""Macros of the SQL models: what SQL itself cannot say, or three models would say alike."""
