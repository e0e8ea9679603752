"""Channels that listen on this machine: a mail server, and a server of webhooks and health checks."""

import json
import socket
import threading
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from aiosmtpd.controller import Controller


class Message(NamedTuple):
    """A message that a channel took: to whom, its subject, its text; of a webhook, its kind."""

    to: str
    subject: str
    text: str
    kind: str = ""


class Mailbox:
    """Takes mail for everybody."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._server = Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self) -> "Mailbox":
        self._server.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.stop()

    def address(self, to: str) -> str:
        """Return the address that Apprise sends mail by."""
        who = f"from=watch@agency.example&to={to}"
        return f"mailto://127.0.0.1:{self.port}?{who}&mode=insecure&format=text"

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        text = parsed.get_body(("plain",)).get_content()
        (to,) = envelope.rcpt_tos
        self.messages.append(Message(to, parsed["Subject"], text.replace("\r\n", "\n").strip()))
        return "250 taken"


class Webhooks:
    """Takes what is posted to it; with `is_down` it answers 503."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.pings: list[str] = []
        self.is_down = False
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                if not hooks.is_down:
                    hooks.take(self.path, body)
                self.send_response(503 if hooks.is_down else 200)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> "Webhooks":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, path: str, body: bytes) -> None:
        """Note an alert as Apprise posts it as JSON, or a ping."""
        if path.startswith("/ping"):
            self.pings.append(path.removeprefix("/ping/"))
            return
        said = json.loads(body)
        told = (said["title"], said["message"], said["type"])
        self.messages.append(Message(path.strip("/"), *told))

    def address(self, name: str) -> str:
        """Return the address that Apprise posts to."""
        return f"json://127.0.0.1:{self._server.server_port}/{name}"

    def ping_address(self, name: str) -> str:
        """Return the address of a health check."""
        return f"http://127.0.0.1:{self._server.server_port}/ping/{name}"
