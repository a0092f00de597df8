"""``python -m benchmarks.serve``: a model in service, under one client, under sixteen, and under too many.

Each measurement starts a server of its own on the loopback and asks it from this process, so that client and server
share the cores, alike for all. The model is a tagger that is fine-tuned here for a minute (and a classifier, for files
in bulk); what is compared is served from the same weights. Rounds alternate, and the table shows their median.

* ``latency/SERVER/CLIENTS``: ``article`` is its seven lines around ``hanlp.load``; ``kit`` computes requests together,
  ``kit, one by one`` does not; ``onnx`` and ``int8`` are the same model on ONNX Runtime.
* ``overload``: twice the requests that the service manages, for a minute; each answer is compared with the offline one.
* ``one text``: 47 characters, on one core, without HTTP; ``one log``: a log of the synthetic corpus ``faults`` through
  HTTP, by the kit's encoder and by one of BERT-base's shape (random weights).
* ``bulk``: reviews a second, from a list.
* ``hostile``: 10,000 requests that no client should send; counted is what the service answers.

Results go to ``results/serving.json``. ``--only overload`` measures what begins so; ``--table`` prints.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.manifest import manifest
from hanlp_tutor.serving.load import closed_loop, open_loop
from hanlp_tutor.teach.lessons.l19.services import Service, article_service, kit_service
from hanlp_tutor.teach.results import Experiment, read_results

NAME = "serving"
ENCODER, SENTENCES = "mini-roberta-wwm-ext", 1000
CLIENTS = (1, 4, 16)
DEADLINE = 1.0
OVERLOAD = 60.0  # seconds
SERVERS = ("article", "kit, one by one", "kit", "onnx", "int8")
REVIEWS = 10_000
LENGTH = 47  # characters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each latency")
    parser.add_argument("--only", default="", help="measure what begins so")
    parser.add_argument("--models", type=Path, default=Path("runs/serving"), help="where they are kept")
    parser.add_argument("--results", type=Path, help="folder of the result file; default: results/ of the checkout")
    parser.add_argument("--table", action="store_true", help="only print what is known")
    arguments = parser.parse_args()
    if not arguments.table:
        measure_all(arguments)
    content = read_results(NAME, arguments.results)
    print(table(content) if content else "Not measured yet.")


def measure_all(arguments: argparse.Namespace) -> None:
    settings = {"encoder": ENCODER, "sentences": SENTENCES, "deadline": DEADLINE, "seconds": arguments.seconds}
    experiment = Experiment(NAME, settings, manifest(describe_device(choose_device())), arguments.results)
    experiment.content["command_line"] = "python -m benchmarks.serve"
    models = prepare(arguments.models)

    def measure(row: str, run: Any, turns: tuple[int, ...]) -> None:
        if row.startswith(arguments.only):
            experiment.measure(row, turns, lambda turn: run())

    for turn in range(1, arguments.rounds + 1):
        for clients in CLIENTS:
            for server in SERVERS:
                measure(f"latency/{server}/{clients}", lambda s=server, c=clients: latency(
                    s, c, models, arguments.seconds), (turn,))  # fmt: skip
        for what in ("kit", "onnx", "int8"):
            measure(f"one text/{what}", lambda w=what: alone("--one-text", w, models["ner"]), (turn,))
        for what in ("hanlp", "kit", "onnx", "int8"):
            if _is_there(models["classify"], what):
                measure(f"bulk/{what}", lambda w=what: alone("--bulk", w, models["classify"]), (turn,))
        for what in ("kit", "onnx", "int8"):
            if _is_there(models["faults"], what):
                measure(f"one log/{what}", lambda w=what: one_log(w, models), (turn,))
        measure("one log/base", lambda: one_log("base", models), (turn,))
    measure("overload", lambda: overload(models, OVERLOAD), (1,))
    measure("hostile", lambda: hostile(models), (1,))


def _is_there(folder: Path, what: str) -> bool:
    """Whether this export was made: one in 8 bits is refused where too many labels would change."""
    return what != "int8" or (folder / what).exists()


def prepare(folder: Path) -> dict[str, Path]:
    """The folders of the models, made once; all but ``base`` have their exports inside."""
    made = {task: folder / task for task in ("ner", "classify", "faults", "base")}
    for task, place in made.items():
        if not (place / "done").exists():
            subprocess.run([sys.executable, "-m", "benchmarks._serve_models", task, str(place)], check=True)
    return made


def served(folder: Path, *options: str, article: bool = False, one_core: bool = False) -> Service:
    """A server on a free port, in its own process."""
    return article_service(folder, folder.parent) if article else kit_service(folder, *options, one_core=one_core)


def sentences() -> list[str]:
    from hanlp_tutor import load_corpus

    return [each.text for each in load_corpus("peoples_daily").test if 10 <= len(each.text) <= 100][:400]


def latency(server: str, clients: int, models: dict[str, Path], seconds: float) -> dict[str, float]:
    folder = models["ner"] / {"article": "hanlp", "onnx": "onnx", "int8": "int8"}.get(server, "model")
    options = ("--batch", "1") if server == "kit, one by one" else ()
    with served(folder, *options, "--deadline", "60", article=server == "article") as service:
        how = {"in_address": server == "article"}
        closed_loop(service.address, sentences(), clients, requests=20, **how)
        found = closed_loop(service.address, sentences(), clients, seconds=seconds, **how)
        return {**found.numbers(), "memory_mb": service.mib}


def overload(models: dict[str, Path], seconds: float) -> dict[str, float]:
    """Twice what it manages; memory after the first half and at the end."""
    from hanlp_tutor import Predictor

    texts = sentences()
    offline = {each["text"]: places(each) for each in Predictor.load(models["ner"] / "model").predict_many(texts)}

    def expected(text: str, answer: Any) -> bool:
        return answer["text"] == text and places(answer) == offline[text]

    with served(models["ner"] / "model", "--deadline", str(DEADLINE)) as service:
        capacity = closed_loop(service.address, texts, 32, seconds=10).per_second
        first = open_loop(service.address, texts, 2 * capacity, seconds / 2, clients=256, expected=expected)
        half = service.mib
        last = open_loop(service.address, texts, 2 * capacity, seconds / 2, clients=256, expected=expected)
        end = service.mib
    counted = {name: first.numbers()[name] + last.numbers()[name] for name in ("answered", "refused", "failed", "lost",
                                                                                "wrong")}  # fmt: skip
    return {
        **counted,
        "capacity": capacity,
        "offered": (counted["answered"] + counted["refused"]) / (first.took + last.took),
        "p50_ms": 1000 * last.percentile(0.5),
        "p99_ms": 1000 * last.percentile(0.99),
        "memory_growth": end / half - 1,
        "memory_mb": end,
    }


def places(answer: dict[str, Any]) -> list[tuple[int, int, str]]:
    return [(e["start"], e["end"], e["label"]) for e in answer["entities"]]


def one_log(what: str, models: dict[str, Path]) -> dict[str, float]:
    from hanlp_tutor import load_corpus

    texts = [each.text for each in load_corpus("faults").test[:300]]
    folder = models["base"] / "model" if what == "base" else models["faults"] / {"kit": "model"}.get(what, what)
    with served(folder, "--deadline", "60", "--threads", "1", one_core=True) as service:
        closed_loop(service.address, texts, 1, requests=20)
        return closed_loop(service.address, texts, 1, requests=60 if what == "base" else 300).numbers()


def alone(flag: str, what: str, folder: Path) -> dict[str, float]:
    """Without a server, in a process of its own on one core."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._serve_models", flag, what, str(folder)],
        check=True, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def hostile(models: dict[str, Path], requests: int = 10_000) -> dict[str, float]:
    """What no client should send: counts of what came back, by the first digit of the status."""
    draw = random.Random(0)
    found = {"2": 0, "4": 0, "5": 0, "closed": 0}
    with served(models["ner"] / "model", "--max-body", "100000", "--max-characters", "5000") as service:
        host, port = service.address.removeprefix("http://").strip("/").split(":")
        for number in range(requests):
            content = _hostile(draw, number)
            try:
                with socket.create_connection((host, int(port)), timeout=30) as connection:
                    connection.sendall(content)
                    if number % 100 == 0:  # a client that goes away without listening
                        continue
                    reply = connection.recv(64)
            except OSError:
                reply = b""
            found[chr(reply[9]) if reply.startswith(b"HTTP/1.1 ") else "closed"] += 1
        urllib.request.urlopen(service.address + "health/ready", timeout=10).close()
    return {"requests": requests, **{f"status_{name}": count for name, count in found.items()}}


def _hostile(draw: random.Random, number: int) -> bytes:
    texts = (
        "", " ", "\0", "\u202e王小明", "\ufeff", "长" * 100_000, "a" * 4999, "😀" * 1000, "\u0301" * 500, "<script>",
        "\\", "'; DROP TABLE", "${jndi:ldap}", "\r\n\r\nGET / HTTP/1.1", "A\u030a", "\u200b" * 300, "𠮷" * 50,
    )  # fmt: skip
    text = draw.choice(texts)
    bodies = (
        json.dumps({"text": text}).encode(),
        json.dumps({"texts": [text] * draw.randint(0, 300)}).encode(),
        json.dumps({draw.choice(("text", "texts", "x")): draw.choice((None, 1, 1.5, True, [], {}, [[]]))}).encode(),
        b'{"text": "\\ud83d"}', b"[" * draw.randint(1, 50_000), b'{"a":' * 20_000, b"\xff\xfe\x00", b"", b"{", b"NaN",
        json.dumps({"text": text}, ensure_ascii=False).encode("utf-8", "replace")[: draw.randint(1, 40)],
        draw.randbytes(draw.randint(0, 2000)),
    )  # fmt: skip
    body = draw.choice(bodies)
    kind = draw.choice(("application/json",) * 3 + ("text/plain", "multipart/form-data", ""))
    length = draw.choice((str(len(body)),) * 8 + ("-1", "abc", "99999999999"))
    path = draw.choice(("/predict",) * 8 + ("/predict?text=%ff%fe", "/predict?text=" + "a" * 3000, "/../etc", "/model"))
    verb = draw.choice(("POST",) * 9 + ("GET", "PUT", "DELETE", "BREW"))
    head = f"{verb} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    if kind:
        head += f"Content-Type: {kind}\r\n"
    if length == "99999999999":  # says more than it sends, and is not waited for
        return head.encode() + b"Content-Length: 99999999999\r\n\r\n" + body[:10] if number % 100 == 0 else (
            head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)  # fmt: skip
    return f"{head}Content-Length: {length}\r\n\r\n".encode() + body


def table(content: dict[str, Any]) -> str:
    """What is known, for README.md beside this file."""
    rows = {name: row["median"] for name, row in content["rows"].items()}
    heads = [f"{n} client{'s' if n > 1 else ''}" for n in CLIENTS]
    lines = [f"| p50 / p99 in ms; requests a second | {' | '.join(heads)} |"]
    lines += ["|---" * (1 + len(CLIENTS)) + "|"]
    for server in SERVERS:
        cells = [rows.get(f"latency/{server}/{n}") for n in CLIENTS]
        shown = ["{p50_ms:.0f} / {p99_ms:.0f}; {per_second:.0f}".format(**c) if c else "not measured" for c in cells]
        lines.append(f"| {server} | " + " | ".join(shown) + " |")
    lines.append("")
    for name, row in rows.items():
        if not name.startswith("latency/"):
            lines.append(f"- **{name}**: " + ", ".join(f"{key} {value:.4g}" for key, value in row.items()))
    where = f"{content['device']}, torch {content['versions']['torch']}, {content['date'][:10]}"
    return "\n".join([*lines, "", f"Measured by `{content['command_line']}` on {where}."])


if __name__ == "__main__":
    main()
