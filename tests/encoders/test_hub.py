"""The article's models by their names: from a mirror, with a hub of ours on this machine standing in for it."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from local_server import LocalServer

NAMES = ("bert-base-chinese", "hfl/chinese-roberta-wwm-ext", "hfl/chinese-macbert-base")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
LOAD = """
import json, sys
from hanlp_tutor.encoders import load_encoder
from hanlp_tutor.errors import EncoderError
for name in sys.argv[1:]:
    try:
        encoder = load_encoder(name)
        print(json.dumps([encoder.pretrained, encoder.tokenizer.tokenize("北京playing")]))
    except EncoderError as error:
        print(json.dumps(str(error)))
"""


class Hub(BaseHTTPRequestHandler):
    """As much of a hub as its client asks of it: /api/models/NAME, and files under /NAME/resolve/main with an ETag."""

    folder: Path
    requests: list[str]

    def do_HEAD(self):
        self._respond(body=False)

    def do_GET(self):
        self._respond(body=True)

    def _respond(self, body: bool):
        self.requests.append(self.path)
        described = self.path.split("?")[0].removeprefix("/api/models/")
        if described in NAMES:
            siblings = [{"rfilename": path.name} for path in self.folder.iterdir()]
            about = {"id": described, "modelId": described, "sha": COMMIT, "private": False, "tags": [], "downloads": 0}
            return self._send(json.dumps({**about, "likes": 0, "siblings": siblings}).encode(), body)
        name, _, file = self.path.partition("/resolve/")
        path = self.folder / file.split("/", 1)[-1]
        if name.strip("/") not in NAMES or not file or not path.is_file():
            self.send_response(404)
            known = any(f"/{known}/" in self.path for known in NAMES)
            self.send_header("X-Error-Code", "EntryNotFound" if known else "RepoNotFound")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        return self._send(path.read_bytes(), body)

    def _send(self, content: bytes, body: bool):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(tiny_encoder):
    handler = type("OurHub", (Hub,), {"folder": Path(tiny_encoder), "requests": []})
    server = LocalServer(handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.address, handler.requests
    server.shutdown()
    server.server_close()


def load(names: list[str], endpoint: str, cache: Path) -> list:
    """In a fresh process: the client reads its endpoint when it is imported."""
    unset = {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"}
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    environment |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache), "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *names], env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()[-len(names) :]]


@pytest.mark.slow
def test_a_mirror_serves_the_articles_models_and_the_cache_serves_them_again(hub, tmp_path):
    endpoint, requests = hub
    unknown = "hfl/chinese-macbert-large"
    *found, refused = load([*NAMES, unknown], endpoint, tmp_path)
    assert found == [[True, ["北", "京", "play", "##ing"]]] * 3
    assert {path.split("/resolve/")[0].strip("/") for path in requests if "/resolve/" in path} >= set(NAMES)
    assert "HF_ENDPOINT" in refused
    before = len(requests)
    nobody = "http://127.0.0.1:9"  # the discard port: nothing listens
    cached, refused = load([NAMES[-1], unknown], nobody, tmp_path)
    assert cached == [True, ["北", "京", "play", "##ing"]], "what was fetched is used when the mirror is gone"
    assert "mini-macbert" in refused and len(requests) == before
