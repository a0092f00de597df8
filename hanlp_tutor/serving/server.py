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
        app, host=host, port=port, log_config=None, access_log=False, server_header=False, timeout_keep_alive=30,
        timeout_graceful_shutdown=PATIENCE, ws="none",
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
