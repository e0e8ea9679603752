"""The watch: judges beside every run which client is at risk, late, held or odd, and alerts once."""
