"""Compute IHC: initializer, holder and closer of each journey, by the service or by a local model."""
