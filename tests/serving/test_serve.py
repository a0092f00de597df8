"""``hanlp-tutor serve`` as a process: start, stop under load, kill, wrong use; and hostile requests from its schema."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
pytestmark = pytest.mark.xdist_group("serve")


def command(*arguments):
    return [sys.executable, "-m", "hanlp_tutor.cli", "serve", *map(str, arguments)]


@pytest.fixture
def start(tagger_folder):
    running = []

    def begin(*arguments, **environment):
        process = subprocess.Popen(
            command(tagger_folder, "--port", "0", "--json", *arguments), text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, **environment},
        )  # fmt: skip
        running.append(process)
        return process, json.loads(process.stdout.readline())["address"]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def post(address, text, timeout=30):
    request = urllib.request.Request(
        address + "predict", json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=timeout) as reply:
        return reply.status, json.load(reply)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_stop_under_load_loses_nothing_that_was_accepted(start):
    process, address = start()
    right, refused, unread = [], [], []  # unread: the connection was refused, or closed before the request was read

    def ask():
        while True:
            try:
                status, answer = post(address, "上海" * 20)
                right.append(status == 200 and answer["text"] == "上海" * 20)
            except urllib.error.HTTPError as error:
                refused.append(error.code)
            except OSError as error:
                unread.append(error)
                return

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    while len(right) < 50:
        threading.Event().wait(0.01)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=30)
    for thread in threads:
        thread.join(30)
    told = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    served = [each for each in told if each["event"] == "request" and each["status"] == 200]
    assert process.returncode == 0 and len(unread) == 16
    assert all(right) and len(served) == len(right) >= 50  # what it answered, somebody got
    assert set(refused) <= {429, 503}


def test_an_answer_does_not_wait_for_a_delayed_acknowledgement(tagger):
    """asyncio turns Nagle's algorithm off only for sockets whose protocol is named."""
    from hanlp_tutor.serving.server import _bind

    with _bind("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP


def test_headers_that_do_not_come_are_not_waited_for():
    """A connection that dribbles is closed; one between two requests, and one that waits for its answer, is not."""
    import asyncio

    import uvicorn

    from hanlp_tutor.serving.server import prompt_protocol

    async def app(scope, receive, send):
        await receive()
        await asyncio.sleep(0.4)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def run():
        config = uvicorn.Config(app, log_config=None, http=prompt_protocol(0.2), lifespan="off", port=0)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        slow, slow_out = await asyncio.open_connection("127.0.0.1", port)
        good, good_out = await asyncio.open_connection("127.0.0.1", port)
        slow_out.write(b"GET / HTTP/1.1\r\nHo")
        for _ in range(2):
            good_out.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"200" in await asyncio.wait_for(good.readuntil(b"ok"), 5)
            await asyncio.sleep(0.3)
        assert await asyncio.wait_for(slow.read(), 5) == b""
        good_out.write(b"GET / HT")
        assert await asyncio.wait_for(good.read(), 5) == b""
        server.should_exit = True
        await task

    asyncio.run(run())


def test_killed_it_starts_again_without_repair(start, tagger_folder):
    process, address = start()
    assert post(address, "上海")[0] == 200
    before = sorted(path.name for path in tagger_folder.iterdir())
    process.kill()
    process.wait(10)
    _, address = start()
    assert post(address, "上海")[0] == 200 and sorted(path.name for path in tagger_folder.iterdir()) == before


def test_wrong_use_is_told_in_a_line(tagger_folder, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for arguments, reason in (
            ((tmp_path / "nothing",), "no such model folder"),
            ((tagger_folder, "--port", taken.getsockname()[1]), "take another port"),
            ((tagger_folder, "--cors", "example.org"), "an origin is written"),
            ((tagger_folder, "--token-file", tmp_path / "absent"), "absent"),
        ):
            done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=120)
            assert done.returncode == 2 and done.stderr.count("\n") <= 2, done.stderr
            assert reason in done.stderr.lower(), done.stderr


def test_a_token_that_is_none_is_refused(tagger_folder):
    done = subprocess.run(
        command(tagger_folder), capture_output=True, text=True, env={**os.environ, "HANLP_TUTOR_TOKEN": ""}, timeout=120
    )
    assert done.returncode == 2 and "a token is one word" in done.stderr


def test_hostile_requests_from_its_own_description(tagger):
    """Schemathesis makes requests from /openapi.json, right ones and wrong ones; each answer is as it promises."""
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, given, settings
    from schemathesis.generation.modes import GenerationMode
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    from hanlp_tutor.serving import create_app

    # OpenAPI cannot say "a body unless there is a query", so of what fits its words some has no text in it
    left_out = [positive_data_acceptance]
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(tagger))
    seen = {}
    for operation in schema.get_all_operations():
        for mode in GenerationMode if operation.ok().path == "/predict" else [GenerationMode.POSITIVE]:

            @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
            @given(operation.ok().as_strategy(generation_mode=mode))
            def check(case):
                reply = case.call_and_validate(excluded_checks=left_out)
                seen.setdefault(case.path, []).append(reply.status_code)
                assert reply.status_code < 500

            check()
    assert len(seen["/predict"]) >= 60 and {200, 422} <= set(seen["/predict"])
