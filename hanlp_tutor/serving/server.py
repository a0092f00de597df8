"""Uvicorn around the application: binds, says where, and stops without losing what was accepted."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable
from typing import Any

from hanlp_tutor.errors import TutorError
from hanlp_tutor.extras import needs
from hanlp_tutor.serving.gate import LOG, JsonLines

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SLOWEST = 10.0  # seconds until the headers of a request have arrived; of its body, Limits.seconds
PATIENCE = 30  # seconds for what was accepted, when the service is stopped


def serve_app(app: Any, *, host: str, port: int, ready: Callable[[str], None] = lambda address: None) -> None:
    """Serve an application until SIGTERM or SIGINT.

    Args:
        app: of :func:`hanlp_tutor.serving.app.create_app`.
        host, port: to listen at; port 0 takes a free one.
        ready: called with the address once requests are let in.

    Raises:
        TutorError: the address cannot be had. ConfigError: the extra ``serve`` is not installed.
    """
    uvicorn = needs("uvicorn", "Serving a model")
    log_in_json()
    config = uvicorn.Config(
        app, host=host, port=port, http=prompt_protocol(SLOWEST), log_config=None, access_log=False,
        server_header=False, timeout_keep_alive=30, timeout_graceful_shutdown=PATIENCE, ws="none",
    )  # fmt: skip
    try:
        socket = _bind(host, port)
    except OSError as error:
        raise TutorError(
            f"cannot listen at {host}:{port} ({error.strerror or error}). Take another port: --port 0 takes a free one."
        ) from None
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn stops gracefully, and then sends itself the signal again
        signal.signal(number, lambda *_: None)
    with socket:
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{socket.getsockname()[1]}/")
        uvicorn.Server(config).run(sockets=[socket])


def prompt_protocol(seconds: float) -> type:
    """Uvicorn's protocol of HTTP, but a connection is closed whose headers do not arrive within ``seconds``."""
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Prompt(H11Protocol):
        _late: Any = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def connection_lost(self, error: Exception | None) -> None:
            self._unwatch()
            super().connection_lost(error)

        def _watch(self) -> None:
            if self.conn.their_state is not h11.IDLE:  # headers are whole; between requests uvicorn's own clock runs
                self._unwatch()
            elif self._late is None and not self.transport.is_closing():
                self._late = self.loop.call_later(seconds, self.transport.close)

        def _unwatch(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

    return Prompt


def _bind(host: str, port: int) -> Any:
    import socket

    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    # With the protocol named, or asyncio leaves Nagle's algorithm on, and each answer waits 40 ms for the client's
    # delayed acknowledgement
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(2048)
    except OSError:
        made.close()
        raise
    return made


def log_in_json() -> None:
    """Our log and uvicorn's go to standard error, a JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for logger in (LOG, logging.getLogger("uvicorn"), logging.getLogger("uvicorn.error")):
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").handlers = []
    logging.getLogger("uvicorn.error").propagate = True
