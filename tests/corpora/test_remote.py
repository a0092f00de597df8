"""Remote sets: whole files or a clear word, from a folder, the cache, or a server that behaves as servers do."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from local_server import LocalServer

from hanlp_tutor.corpora import REMOTE, download, load_corpus, locate, remote
from hanlp_tutor.corpora.remote import RemoteFile, RemoteSet
from hanlp_tutor.data import TaggedText, read_columns
from hanlp_tutor.errors import ConfigError, DataError

SHARED = Path(__file__).parents[3] / "shared" / "data"
CONTENT = {
    subset: f"{letter}\tO\n李\tB-PER\n".encode() for subset, letter in (("train", "甲"), ("dev", "乙"), ("test", "丙"))
}
LARGE = os.urandom(300_000)
PIECE = 98_304  # of it, after which the server breaks off or falls silent
HASHES = {name: hashlib.sha256(content).hexdigest() for name, content in {**CONTENT, "large": LARGE}.items()}


class Server(LocalServer):
    """Serves ``files``; ``behaviour`` is how, ``requests`` the paths that were requested."""

    def __init__(self):
        super().__init__(Handler)
        self.files, self.behaviour, self.requests = {}, "whole", []
        self.released = threading.Event()  # of a request that it stalls


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server, content = self.server, self.server.files.get(self.path)
        server.requests.append(self.path)
        if content is None:
            self.send_error(404)
        elif server.behaviour == "unwell" and len(server.requests) < 3:
            self.send_error(503)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.send_body(content)

    def send_body(self, body):
        first = len(self.server.requests) < 2
        if self.server.behaviour == "slow":
            for at in range(0, len(body), 50_000):
                self.wfile.write(body[at : at + 50_000])
                time.sleep(0.05)
        elif self.server.behaviour == "breaks off" or (self.server.behaviour == "breaks off once" and first):
            self.wfile.write(body[:PIECE])
        elif self.server.behaviour == "stalls once" and first:
            self.wfile.write(body[:PIECE])
            self.wfile.flush()
            self.server.released.wait(30)
        else:
            self.wfile.write(body)


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A cache of the test's own, no variable set, no waiting."""
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache")
    monkeypatch.setattr(download, "PAUSE", 0.0)
    for name in ("HANLP_TUTOR_DATA", "HANLP_TUTOR_MIRROR", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def made_up(server) -> RemoteSet:
    files = tuple(RemoteFile(subset, f"{subset}.txt", f"made_up.{subset}", HASHES[subset]) for subset in CONTENT)
    server.files = {f"/data/made_up.{subset}": content for subset, content in CONTENT.items()}
    return RemoteSet(
        name="made_up",
        task="ner",
        address=f"{server.address}/data",
        files=files,
        format="columns",
        read=read_columns,
        licence="none",
        citation="nobody",
        provenance="Made up.",
    )


def get_large(server, tmp_path, sha256=HASHES["large"]):
    server.files["/large"] = LARGE
    return download.download(f"{server.address}/large", tmp_path / "cache" / "large", sha256, "Do something else.")


# --- a set ---------------------------------------------------------------------------------------------------------


def test_a_set_is_downloaded_once(server, monkeypatch):
    made = made_up(server)
    corpus = remote.load(made)
    assert corpus.train == (TaggedText("甲李", ("O", "B-PER")),)
    assert [subset[0].source for subset in (corpus.train, corpus.dev, corpus.test)] == [
        f"made_up/{subset}.txt:1" for subset in ("train", "dev", "test")
    ]
    assert corpus.provenance == "Made up. 1 / 1 / 1 examples."
    assert len(server.requests) == 3
    remote._load.cache_clear()
    assert remote.load(made) == corpus and len(server.requests) == 3
    assert [path.read_bytes() for path in remote.locate(made)] == list(CONTENT.values())


def test_a_cached_file_that_has_changed_is_fetched_again(server):
    made = made_up(server)
    path = remote.fetch(made)[0]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"made_up/train.txt: is not downloaded yet.*HANLP_TUTOR_DATA"):
        remote.locate(made)
    assert remote.fetch(made)[0].read_bytes() == CONTENT["train"]
    assert len(server.requests) == 4


def test_a_folder_of_yours_needs_no_network(server, tmp_path, monkeypatch):
    made = replace(made_up(server), address="http://127.0.0.1:1/data")
    folder = tmp_path / "mine" / "made_up"
    folder.mkdir(parents=True)
    for name, subset in (("train.txt", "train"), ("made_up.dev", "dev"), ("test.txt", "test")):
        (folder / name).write_bytes(CONTENT[subset])  # under either name
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(tmp_path / "mine"))
    assert remote.fetch(made) == (folder / "train.txt", folder / "made_up.dev", folder / "test.txt")
    (folder / "test.txt").write_bytes(CONTENT["test"][:5])
    with pytest.raises(DataError, match=r"test.txt: is not the published file.*http://127.0.0.1:1/data/made_up.test"):
        remote.fetch(made)
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="is no folder"):
        remote.fetch(made)


def test_a_mirror_stands_in(server, monkeypatch):
    made = replace(made_up(server), address="http://127.0.0.1:1/data")
    server.files = {f"/here/made_up/{subset}.txt": content for subset, content in CONTENT.items()}
    monkeypatch.setenv("HANLP_TUTOR_MIRROR", f"{server.address}/here/")
    assert [path.read_bytes() for path in remote.fetch(made)] == list(CONTENT.values())


def test_a_file_that_is_not_there(server):
    made = made_up(server)
    del server.files["/data/made_up.dev"]
    with pytest.raises(DataError) as raised:
        remote.load(made)
    message = str(raised.value)
    assert message.startswith(f"{server.address}/data/made_up.dev: the server answers 404 Not Found.")
    assert "HANLP_TUTOR_DATA to a folder that holds made_up/dev.txt" in message and "HANLP_TUTOR_MIRROR" in message
    assert server.requests.count("/data/made_up.dev") == 1, "asking again would not help"


def test_names():
    assert set(REMOTE) == {"cmedqaner", "weibo", "finre", "peoples_daily_ner", "laws"}
    with pytest.raises(ConfigError, match="did you mean 'weibo'"):
        load_corpus("webo")
    with pytest.raises(DataError, match=r"weibo/train.conll: is not downloaded yet. Call load_corpus\('weibo'\)"):
        locate("weibo")
    for each in remote.SETS.values():
        assert [file.subset for file in each.files] == ["train", "dev", "test"]
        assert each.licence and each.citation and each.format and each.address.startswith("https://")
        assert all(len(file.checksum) in (40, 64) for file in each.files)


def test_gits_own_name_of_a_content_will_do(server, tmp_path):
    """All that is known of a file which nobody here has seen."""
    (tmp_path / "large").write_bytes(LARGE)
    command = ["git", "hash-object", "--no-filters", str(tmp_path / "large")]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert get_large(server, tmp_path, name).read_bytes() == LARGE and len(server.requests) == 1
    assert get_large(server, tmp_path, name).read_bytes() == LARGE and len(server.requests) == 1, "it lies there"
    with pytest.raises(DataError, match="is not the published file: its checksum"):
        get_large(server, tmp_path, "0" * 40)


# --- a download ----------------------------------------------------------------------------------------------------


def what_lies_there(folder):
    """Names of the files in the cache, without the locks."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_what_breaks_off_is_begun_anew_and_ends_well(server, tmp_path):
    server.behaviour = "breaks off once"
    assert get_large(server, tmp_path).read_bytes() == LARGE
    assert server.requests == ["/large"] * 2
    assert what_lies_there(tmp_path / "cache") == ["large"]


def test_what_breaks_off_too_often_leaves_nothing_and_says_what_happened(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "ATTEMPTS", 2)
    server.behaviour = "breaks off"
    with pytest.raises(DataError, match=r"/large: the download broke off 2 times; .* begins anew. Do something else"):
        get_large(server, tmp_path)
    assert server.requests == ["/large"] * 2
    assert what_lies_there(tmp_path / "cache") == [], "a part is never taken for the whole"
    server.behaviour = "whole"
    assert get_large(server, tmp_path).read_bytes() == LARGE


@pytest.mark.parametrize("behaviour", ["whole", "breaks off"])
def test_what_a_killed_process_left_does_no_harm(server, tmp_path, monkeypatch, behaviour):
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    left = tmp_path / "cache" / "large.partial"
    left.mkdir(parents=True)
    for name in ("large", "tmp1234"):
        (left / name).write_bytes(LARGE[:1000])
    server.behaviour = behaviour
    if behaviour == "whole":
        assert get_large(server, tmp_path).read_bytes() == LARGE
        assert what_lies_there(tmp_path / "cache") == ["large"]
    else:
        with pytest.raises(DataError, match="broke off"):
            get_large(server, tmp_path)
        assert what_lies_there(tmp_path / "cache") == []


def test_slow_is_not_broken(server, tmp_path):
    server.behaviour = "slow"
    assert get_large(server, tmp_path).read_bytes() == LARGE and len(server.requests) == 1


def test_a_server_that_falls_silent_is_asked_again(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", (5.0, 0.5))
    server.behaviour = "stalls once"
    assert get_large(server, tmp_path).read_bytes() == LARGE
    assert server.requests == ["/large"] * 2


def test_a_server_that_is_unwell_for_a_moment(server, tmp_path, monkeypatch):
    server.behaviour = "unwell"
    assert get_large(server, tmp_path).read_bytes() == LARGE
    server.requests.clear()
    monkeypatch.setattr(download, "ATTEMPTS", 2)
    with pytest.raises(DataError, match=r"the server answers 503 Service Unavailable. Do something else"):
        download.download(f"{server.address}/large", tmp_path / "new", HASHES["large"], "Do something else.")


def test_other_content_is_refused_and_forgotten(server, tmp_path):
    with pytest.raises(DataError, match=r"/large: what the server sends is not the published file: its checksum"):
        get_large(server, tmp_path, sha256="0" * 64)
    assert what_lies_there(tmp_path / "cache") == []
    assert len(server.requests) == 1


def test_no_network(tmp_path):
    with socket.socket() as reserved:  # bound, and nobody listens
        reserved.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{reserved.getsockname()[1]}/large"
        with pytest.raises(DataError, match=r"cannot be reached.*in 4 attempts; is there a network") as raised:
            download.download(address, tmp_path / "large", HASHES["large"], "Do something else.")
    assert raised.value.remedy == "Do something else."


@pytest.mark.parametrize("mirror", ["no address", "ftp://here", "http://[half"])
def test_a_mirror_that_is_no_address(mirror, server, monkeypatch):
    monkeypatch.setenv("HANLP_TUTOR_MIRROR", mirror)
    with pytest.raises(DataError, match="cannot be downloaded"):
        remote.fetch(made_up(server))


def test_a_cache_that_cannot_be_written(server, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="the download cannot be kept here"):
        get_large(server, tmp_path)


def test_the_bar_goes_to_standard_error(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HANLP_TUTOR_PROGRESS", "bar")
    get_large(server, tmp_path)
    printed = capsys.readouterr()
    assert "large" in printed.err and "300k" in printed.err and printed.out == ""


def test_no_bar_in_a_log(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HANLP_TUTOR_PROGRESS", "lines")
    get_large(server, tmp_path)
    assert capsys.readouterr() == ("", "")


def test_others_may_read_what_was_downloaded(server, tmp_path):
    """A teacher's cache is a class's HANLP_TUTOR_DATA."""
    assert get_large(server, tmp_path).stat().st_mode & 0o044 == 0o044


DOWNLOAD = (
    "import pathlib, sys; from hanlp_tutor.corpora.download import download;"
    "download(sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], '')"
)


def another_process(server, tmp_path):
    arguments = [f"{server.address}/large", str(tmp_path / "large"), hashlib.sha256(server.files["/large"]).hexdigest()]
    return subprocess.Popen([sys.executable, "-c", DOWNLOAD, *arguments], stderr=subprocess.PIPE, text=True)


def test_two_processes_do_not_disturb_each_other(server, tmp_path):
    server.behaviour, server.files["/large"] = "slow", LARGE * 10
    both = [another_process(server, tmp_path) for _ in range(2)]
    for process in both:
        assert process.communicate(timeout=60) == (None, "") and process.returncode == 0
    assert server.requests == ["/large"], "the second waits and takes what the first has brought"
    assert (tmp_path / "large").read_bytes() == LARGE * 10 and what_lies_there(tmp_path) == ["large"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs kill -9")
def test_killed_in_the_middle(server, tmp_path):
    server.behaviour, server.files["/large"] = "slow", LARGE * 20
    process = another_process(server, tmp_path)
    partial = tmp_path / "large.partial"
    while process.poll() is None and sum(path.stat().st_size for path in partial.glob("*")) <= 200_000:
        time.sleep(0.01)
    assert process.poll() is None, "it should still be busy"
    process.kill()
    process.communicate()
    assert not (tmp_path / "large").exists()
    server.behaviour = "whole"
    whole = hashlib.sha256(LARGE * 20).hexdigest()
    assert download.download(f"{server.address}/large", tmp_path / "large", whole, "").read_bytes() == LARGE * 20
    assert what_lies_there(tmp_path) == ["large"], "nothing is left of the half"


# --- the real sets -------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published files are not here")
@pytest.mark.parametrize(
    ("name", "sizes", "labels"),
    [("weibo", (1350, 270, 270), 8), ("cmedqaner", (1673, 175, 215), 11), ("finre", (13486, 1489, 3727), 44)],
)
def test_real_sets(name, sizes, labels, monkeypatch):
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(SHARED))
    corpus = load_corpus(name)
    subsets = (corpus.train, corpus.dev, corpus.test)
    assert tuple(map(len, subsets)) == sizes
    examples = [example for subset in subsets for example in subset]
    if corpus.task == "ner":
        found = {span.label for example in examples for span in example.spans}
        assert not any(example.text[:6].isascii() and example.text[1:6:2].isdigit() for example in examples)
    else:
        found = {example.relation for example in examples}
    assert len(found) == labels
    assert json.dumps(corpus.provenance) and all(example.source.startswith(f"{name}/") for example in examples)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published files are not here")
def test_the_usual_benchmark_without_its_training_file(server, monkeypatch, tmp_path):
    """Dev and test are here; the training file is asked for by name, and another content is refused."""
    benchmark = remote.SETS["peoples_daily_ner"]
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(SHARED))
    dev, test = (read_columns(remote._find(benchmark, file)) for file in benchmark.files[1:])
    assert (len(dev), len(test)) == (2318, 4636)
    assert {span.label for example in (*dev, *test) for span in example.spans} == {"PER", "LOC", "ORG"}
    mine = tmp_path / "peoples_daily_ner"
    mine.mkdir()
    for file in benchmark.files[1:]:
        (mine / file.name).write_bytes((SHARED / benchmark.name / file.published).read_bytes())
    (mine / "train.txt").write_text("李 B-PER\n", encoding="utf-8")
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"train.txt: is not the published file.*ChineseNER/48e1007e.*example.train"):
        load_corpus("peoples_daily_ner")
