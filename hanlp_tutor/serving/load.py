"""Clients of a service, to measure it: how long answers take, how many there are a second, what was refused or lost.

``closed_loop``: each client asks again as soon as it has its answer, so the number of clients is what is under control.
``open_loop``: requests come at a rate, whether or not the service keeps up, as from people who do not know each other.
The clients are threads of this process: on one machine they take a part of the cores from the service.
"""

from __future__ import annotations

import http.client
import json
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

TIMEOUT = 60.0  # seconds


@dataclass
class Measured:
    """What clients saw.

    Attributes:
        seconds: of each answered request, from sending it to the whole answer.
        refused: statuses 429 and 503.
        failed: other statuses, by number.
        lost: requests without an answer.
        wrong: answers that are not those expected.
        took: seconds of the whole measurement.
    """

    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    failed: dict[int, int] = field(default_factory=dict)
    lost: int = 0
    wrong: int = 0
    took: float = 0.0

    def percentile(self, share: float) -> float:
        """The seconds within which a share of the requests was answered (nearest rank); NaN of none."""
        ordered = sorted(self.seconds)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan

    @property
    def per_second(self) -> float:
        """Answered requests a second."""
        return len(self.seconds) / self.took if self.took else 0.0

    def numbers(self) -> dict[str, float]:
        """For a result file; times in milliseconds."""
        return {
            "p50_ms": 1000 * self.percentile(0.5),
            "p99_ms": 1000 * self.percentile(0.99),
            "per_second": self.per_second,
            "answered": len(self.seconds),
            "refused": self.refused,
            "failed": sum(self.failed.values()),
            "lost": self.lost,
            "wrong": self.wrong,
        }


def closed_loop(
    address: str, texts: Sequence[str], clients: int, *, requests: int | None = None, seconds: float | None = None,
    expected: Callable[[str, Any], bool] | None = None, in_address: bool = False,
) -> Measured:  # fmt: skip
    """Clients that ask one text after the other, each as soon as it has its answer.

    Args:
        address: of the service.
        texts: asked in turn.
        clients: at the same time.
        requests, seconds: in all; whichever ends first.
        expected: whether an answer is right, from the text and the answer.
        in_address: send texts as the article's service takes them, ``POST /predict?text=...``.
    """
    turns = iter(range(requests if requests is not None else 10**12))
    until = math.inf if seconds is None else time.perf_counter() + seconds
    lock = threading.Lock()

    def next_turn() -> int | None:
        with lock:
            return next(turns, None) if time.perf_counter() < until else None

    return _all(clients, address, texts, next_turn, expected, in_address)


def open_loop(
    address: str, texts: Sequence[str], rate: float, seconds: float, *, clients: int = 64,
    expected: Callable[[str, Any], bool] | None = None, in_address: bool = False,
) -> Measured:  # fmt: skip
    """Requests at a rate; ``clients`` is how many may be under way at once."""
    began = time.perf_counter()
    turns = iter(range(int(rate * seconds)))
    lock = threading.Lock()

    def next_turn() -> int | None:
        with lock:
            turn = next(turns, None)
        if turn is not None:
            time.sleep(max(0.0, began + turn / rate - time.perf_counter()))
        return turn

    return _all(clients, address, texts, next_turn, expected, in_address)


def _all(clients: int, address: str, texts: Sequence[str], next_turn: Any, expected: Any, in_address: bool) -> Measured:
    seen = [Measured() for _ in range(clients)]
    threads = [
        threading.Thread(target=_client, args=(address, texts, next_turn, expected, in_address, each)) for each in seen
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = Measured(took=time.perf_counter() - began)
    for each in seen:
        total.seconds += each.seconds
        total.refused, total.lost, total.wrong = (
            total.refused + each.refused, total.lost + each.lost, total.wrong + each.wrong
        )  # fmt: skip
        for status, count in each.failed.items():
            total.failed[status] = total.failed.get(status, 0) + count
    return total


def _client(
    address: str, texts: Sequence[str], next_turn: Any, expected: Any, in_address: bool, seen: Measured
) -> None:
    place = urlsplit(address)
    connection = None
    while (turn := next_turn()) is not None:
        text = texts[turn % len(texts)]
        began = time.perf_counter()
        try:
            if connection is None:
                connection = http.client.HTTPConnection(place.hostname, place.port, timeout=TIMEOUT)
            if in_address:
                connection.request("POST", f"{place.path}predict?{urlencode({'text': text})}")
            else:
                body = json.dumps({"text": text})
                connection.request("POST", f"{place.path}predict", body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            content = reply.read()
        except OSError:
            connection, seen.lost = None, seen.lost + 1
            continue
        if reply.status == 200:
            seen.seconds.append(time.perf_counter() - began)
            seen.wrong += bool(expected) and not expected(text, json.loads(content))
        elif reply.status in (429, 503):
            seen.refused += 1
            # its Retry-After is ignored: a burst is made of clients that are impatient
        else:
            seen.failed[reply.status] = seen.failed.get(reply.status, 0) + 1
        if reply.will_close:
            connection.close()
            connection = None
    if connection is not None:
        connection.close()
