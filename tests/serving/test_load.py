"""The clients that measure a service count what they see."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from hanlp_tutor.serving.load import Measured, closed_loop, open_loop


class Stub(BaseHTTPRequestHandler):
    """Echoes texts; refuses 拒, breaks at 坏, hangs up at 断, answers 错 wrongly."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        query = parse_qs(urlsplit(self.path).query)
        text = query["text"][0] if query else json.loads(self.rfile.read(size))["text"]
        if text == "断":
            self.close_connection = True
            return
        status = {"拒": 429, "坏": 500}.get(text, 200)
        content = json.dumps({"text": "?" if text == "错" else text}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def same(text, answer):
    return answer["text"] == text


def test_each_outcome_is_counted(address):
    texts = ["好", "拒", "坏", "断", "错"]
    found = closed_loop(address, texts, 3, requests=50, expected=same)
    assert len(found.seconds) == 20 and found.wrong == found.refused == found.lost == 10 and found.failed == {500: 10}
    numbers = found.numbers()
    assert numbers["answered"] == 20 and numbers["p50_ms"] <= numbers["p99_ms"] and numbers["per_second"] > 0


def test_texts_in_the_address(address):
    found = closed_loop(address, ["a b&c=好"], 1, requests=5, expected=same, in_address=True)
    assert len(found.seconds) == 5 and not found.wrong


def test_an_open_loop_keeps_its_rate(address):
    began = time.perf_counter()
    found = open_loop(address, ["好"], 50, 1.0, clients=8)
    assert len(found.seconds) == 50 and time.perf_counter() - began >= 0.95


def test_percentiles_are_nearest_ranks():
    found = Measured(seconds=[0.1 * n for n in range(1, 101)], took=10.0)
    assert found.percentile(0.5) == pytest.approx(5.0) and found.percentile(0.99) == pytest.approx(9.9)
    assert found.per_second == 10 and Measured().percentile(0.5) != Measured().percentile(0.5)
