"""The documentation, and what writes its tables from the code: `make docs`."""
