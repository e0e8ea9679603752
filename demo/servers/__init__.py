"""Speak the platforms' HTTP protocols on this machine, for tests and for the demo."""

from demo.servers.http_server import Cut, Html, Server, Slow, Status, Truncated

__all__ = ["Cut", "Html", "Server", "Slow", "Status", "Truncated"]
