"""The documentation. `make docs` writes the parts of it that come from the code."""
