"""A small HTTP server that shows one text to whoever asks, in a thread that goes with the run.

Answers ``/metrics`` and ``/healthz``. Knows HTTP; knows nothing of what the text says.
"""

from __future__ import annotations

import errno
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from engine_runtime.errors import UsageError

POLL_SECONDS = 0.05
"""How long the end of a run waits for the server at the most."""
ASKER_SECONDS = 10.0
"""How long an asker may take over its question."""
TRIES, PAUSE_SECONDS = 50, 0.02
"""A run that was killed holds its port until its worker processes have ended, which takes them some milliseconds."""


@contextmanager
def endpoint(host: str, port: int, render: Callable[[], str], content_type: str) -> Iterator[str]:
    """Serve what `render` returns, until the block ends.

    Parameters
    ----------
    host, port
        Where to listen; port 0 lets the system choose.
    render
        Called for each question, in a thread of its own.
    content_type
        Of what it returns.

    Yields
    ------
    str
        Host and port that it listens at.

    Raises
    ------
    UsageError
        The host is none of this machine's, or the port is taken or not for this user.
    """
    server = _listen(host, port, render, content_type)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), name="metrics", daemon=True)
    thread.start()
    try:
        yield f"{_bracketed(host)}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, family: int, *arguments: Any) -> None:
        self.address_family = family
        super().__init__(*arguments)

    def server_bind(self) -> None:
        """Bind without the look-up of this machine's full name that the base class makes: a slow network delays it."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let an asker go that hangs up; what else goes wrong is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _listen(host: str, port: int, render: Callable[[], str], content_type: str) -> _Server:
    class Answer(BaseHTTPRequestHandler):
        timeout = ASKER_SECONDS
        server_version, sys_version = "profile-engine", ""

        def do_GET(self) -> None:
            """Answer a question."""
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._say(HTTPStatus.OK, render(), content_type)
            elif path == "/healthz":
                self._say(HTTPStatus.OK, "ok\n")
            else:
                self._say(HTTPStatus.NOT_FOUND, "there are /metrics and /healthz\n")

        def _say(self, status: HTTPStatus, text: str, kind: str = "text/plain; charset=utf-8") -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 (the base class names it so)
            """Say nothing: stderr is the run's."""

    try:
        return _bound(host, port, Answer)
    except OSError as error:  # socket.gaierror is one
        raise UsageError(
            f"metrics cannot be served at {_bracketed(host)}:{port}: {error.strerror or error}. "
            "Name another --metrics-port, or a --metrics-host that is this machine's."
        ) from error


def _bound(host: str, port: int, answer: type[BaseHTTPRequestHandler]) -> _Server:
    """Bind, and wait a little where the port is about to become free."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    for _ in range(TRIES - 1):
        try:
            return _Server(family, (host, port), answer)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            time.sleep(PAUSE_SECONDS)
    return _Server(family, (host, port), answer)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
