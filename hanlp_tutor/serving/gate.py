"""What every request passes: an id, a token where one is asked for, limits of its body, headers, a log line, a count.

The log has one JSON object a line, never the text: what it could hold of one (the query, the body, the message of an
exception) is left out.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import time
import traceback
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

LOG = logging.getLogger("hanlp_tutor.serving")
# Without a token: they say nothing of the model
OPEN = ("/", "/page.css", "/page.js", "/health", "/health/live", "/health/ready")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_LINGER = 8 * 2**20  # bytes of a body too large that are read and dropped, so that the client can read the answer


@dataclass(frozen=True)
class Limits:
    """Of one request.

    Args:
        body: bytes.
        texts: of a list.
        characters: of a text, Unicode code points.
        seconds: until the body has arrived.
    """

    body: int = 2**20
    texts: int = 256
    characters: int = 10_000
    seconds: float = 10.0


class Gate:
    """ASGI middleware around the application.

    Args:
        app: what answers.
        limits: of a body.
        token: a request has to bring it as ``Authorization: Bearer TOKEN``; None: none is asked for.
        seen: called with path, status and seconds of each answered request.
    """

    def __init__(self, app: Any, *, limits: Limits, token: str | None, seen: Callable[[str, int, float], None]):
        self.app, self.limits, self.seen = app, limits, seen
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value for name, value in scope["headers"]}
        given = headers.get("x-request-id", b"").decode("latin-1")
        number = given if _ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["log"] = log = {}
        began, status = time.perf_counter(), 0

        async def say(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                known = {name for name, _ in message["headers"]}
                more = {**HEADERS, "x-request-id": number}
                message["headers"] = [
                    *message["headers"],
                    *((name.encode(), value.encode()) for name, value in more.items() if name.encode() not in known),
                ]
            await send(message)

        try:
            await self._answer(scope, headers, receive, say)
        except ConnectionError:
            log["error"] = "the client went away"
        except Exception as error:  # a bug: its place is told, not its message, which may quote the text
            log["error"] = type(error).__name__
            log["at"] = _places(error)
            if not status:
                await _refuse(say, 500, f"internal error; the log has more under the request id {number}")
        seconds = time.perf_counter() - began
        route = getattr(scope.get("route"), "path", "other")
        self.seen(route, status, seconds)
        level = logging.ERROR if status >= 500 else logging.INFO
        facts = {"id": number, "method": scope["method"], "path": route, "status": status}
        LOG.log(level, "request", extra={"facts": {**facts, "ms": round(1000 * seconds, 1), **log}})

    async def _answer(self, scope: dict[str, Any], headers: dict[str, bytes], receive: Any, say: Any) -> None:
        if self._token is not None and scope["path"] not in OPEN and not self._knows(headers):
            realm = {"www-authenticate": "Bearer"}
            await _refuse(say, 401, "a token is needed: send the header Authorization: Bearer TOKEN", realm)
            return
        if scope["method"] not in ("POST", "PUT", "PATCH"):
            await self.app(scope, receive, say)
            return
        length = headers.get("content-length", b"0")
        size = int(length) if length.isdigit() else 0
        try:
            body = await asyncio.wait_for(self._body(receive, size), self.limits.seconds)
        except asyncio.TimeoutError:
            await _refuse(say, 408, f"the body did not arrive within {self.limits.seconds:g} seconds")
            return
        if body is None:
            await _refuse(
                say,
                413,
                f"the body has more than {self.limits.body:,} bytes; send several requests, "
                "or let whoever starts the service raise --max-body",
                _CLOSE,
            )
            return
        sent = False

        async def replay() -> dict[str, Any]:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, say)

    def _knows(self, headers: dict[str, bytes]) -> bool:
        scheme, _, token = headers.get("authorization", b"").partition(b" ")
        return hmac.compare_digest(token.strip(), self._token) and scheme.lower() == b"bearer"

    async def _body(self, receive: Any, size: int) -> bytes | None:
        """The body; None of one that is too large, after reading what a client must get rid of before it listens."""
        parts, read = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionResetError
            read += len(message.get("body", b""))
            if read <= self.limits.body:
                parts.append(message.get("body", b""))
            if not message.get("more_body") or read > self.limits.body + _LINGER:
                break
        return None if max(read, size) > self.limits.body else b"".join(parts)


_CLOSE = {"connection": "close"}


async def _refuse(say: Any, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
    body = json.dumps({"detail": reason}).encode()
    more = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    await say({"type": "http.response.start", "status": status,
               "headers": [(name.encode(), value.encode()) for name, value in more.items()]})  # fmt: skip
    await say({"type": "http.response.body", "body": body})


def _places(error: BaseException) -> list[str]:
    """Where an error comes from, the innermost place last."""
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


class JsonLines(logging.Formatter):
    """A log record as one JSON object; of an exception its type and place, without its message."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            told["error"] = type(error).__name__
            told["at"] = _places(error)
        return json.dumps(told, ensure_ascii=False)
