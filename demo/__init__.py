"""Make the demo exports: the same files for the same arguments, on every day and machine."""

from demo.write import CLIENTS, write_exports

__all__ = ["CLIENTS", "write_exports"]
