"""The rounds of the bench: in each, every contestant once, in an order that turns from round to round.

What is reported are ratios within a round, their median over the rounds, and the least and the greatest. On a GPU the
kit's own run is repeated in fp16, in bf16 and without TF32 (``train.small.fp16`` and so on, as multiples of its default
run). That part has been written without one: it is not measured.
"""

from __future__ import annotations

import contextlib
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from hanlp_tutor.core.model import Model
from hanlp_tutor.core.predict import Predictor
from hanlp_tutor.device import choose_device, describe_device, is_fast
from hanlp_tutor.files import write_json
from hanlp_tutor.hanlp_bridge.export import export_hanlp
from hanlp_tutor.manifest import manifest
from hanlp_tutor.workbench.bench import material, ours, peers, roofline
from hanlp_tutor.workbench.bench.material import Clock, Sizes

Row = dict[str, float]
OnnxOpener = Callable[[Model, Path], Callable[[str], Any]]
TASKS = {"train.small": "ner", "train.small_classify": "classify", "train.base": "ner"}


def bench(
    sizes: Sizes,
    rounds: int,
    out: Path | None = None,
    *,
    open_onnx: OnnxOpener | None = None,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure all, and return what ``results/speed.json`` holds.

    Args:
        sizes: how much each contestant computes.
        rounds: how often.
        out: written after each round; rounds that it holds, measured on such a device by the same versions, are not
            measured again.
        open_onnx: from a model and a free folder to what answers one text; None leaves ONNX out.
        say: told what is being done.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder, _quiet():
            return _Bench(sizes, Path(folder), open_onnx, say).content(rounds, out)
    finally:
        torch.set_num_threads(threads)


class _Bench:
    """The material, the contestants, and the rows that they fill."""

    def __init__(self, sizes: Sizes, folder: Path, open_onnx: OnnxOpener | None, say: Callable[[str], None]):
        self.began = time.perf_counter()
        self.sizes, self.say, self.device = sizes, say, choose_device()
        self.encoders = material.write_encoders(folder, quick=sizes.quick)
        self.rows: dict[str, dict[str, Row]] = {}
        self.trainings = [each for place in TASKS for each in self._trainings(place)]
        self.others = self._predictions(folder, open_onnx)

    def content(self, rounds: int, out: Path | None) -> dict[str, Any]:
        command = f"hanlp-tutor bench --rounds {rounds}{' --quick' * self.sizes.quick} --out results/speed.json"
        settings = {**self.sizes.settings(), "threads": 1}
        measured_by = manifest(describe_device(self.device), command=command)
        head = {"schema": 1, "experiment": "speed", "command_line": command, **measured_by}
        content = json.loads(out.read_text(encoding="utf-8")) if out is not None and out.exists() else {}
        same = {"settings": settings, "versions": head["versions"], "device": head["device"]}
        if any(content.get(name) != value for name, value in same.items()):
            content = {"rounds": 0, "rows": {}}
            lengths = [len(example.text) for example in material.sentences("ner", 10**6)]
            if not self.sizes.quick:
                self.rows["memory"] = {"1": {"value": self._memory()}}
            for turn in range(1, rounds + 1):
                for who, share in peers.padding(lengths, self.sizes.batch, turn).items():
                    self.rows.setdefault(f"padding_fraction/{who}", {})[str(turn)] = {"value": share}
            content["profile"] = self._profile()
        self.rows |= {name: row["seeds"] for name, row in content["rows"].items()}
        for turn in range(content["rounds"] + 1, rounds + 1):
            contestants = [*self.trainings, *self.others]
            first = (turn - 1) * 2 % len(contestants)  # who comes first, has what the caches and the heap are like then
            for name, run in contestants[first:] + contestants[:first]:
                row = run(turn)
                self.rows.setdefault(name, {})[str(turn)] = row
                self.say(f"round {turn} of {rounds}: {name}: {row['seconds']:.1f} s")
            rows = {name: {"seeds": seeds, **_summary(list(seeds.values()))} for name, seeds in self.rows.items()}
            took = {**content.get("seconds", {}), str(turn): self._since_last()}
            measured = {"settings": settings, "rounds": turn, "seconds": took, **ratios(self.rows)}
            measured["profile"] = content["profile"]
            content = {**head, **measured, "rows": rows}
            if out is not None:
                write_json(out, content)
        return content

    def _since_last(self) -> float:
        """Seconds that passed since the last round, or since the bench began to prepare."""
        now, before = time.perf_counter(), self.began
        self.began = now
        return round(now - before, 1)

    def _examples(self, place: str) -> list[Any]:
        if place == "train.base":
            return material.sentences("ner", self.sizes.base, lengths=material.BASE_LENGTHS)
        return material.sentences(TASKS[place], getattr(self.sizes, TASKS[place]))

    def _trainings(self, place: str) -> Iterator[tuple[str, Callable[[int], Row]]]:
        task, base = TASKS[place], place == "train.base"
        encoder, batch = self.encoders["base" if base else "small"], self.sizes.base_batch if base else self.sizes.batch
        every, device = self._examples(place), self.device
        some, part = (every, 1) if base else (every[:: self.sizes.thin], self.sizes.part)
        _, model = ours.new_model(task, str(encoder), every)
        text, classes = model.text_encoder, len(model.labels)
        rows, few = (material.rows_of(e, model.encode, cls_id=text.cls_id, sep_id=text.sep_id) for e in (every, some))

        def own(turn: int, **options: Any) -> Row:
            passed, trained = ours.train(task, str(encoder), every, batch, part=part, seed=turn, **options)
            return self._with_share(passed.row(), roofline.of_model(trained, passed.lengths))

        def trainer(grouped: bool) -> Callable[[int], Row]:
            return lambda turn: peers.trainer(task, encoder, rows if grouped else few, batch, classes=classes,
                                              grouped=grouped, device=device, part=part if grouped else 1,
                                              seed=turn).row()  # fmt: skip

        def hanlp(bucketed: bool) -> Callable[[int], Row]:
            return lambda turn: peers.hanlp(task, encoder, every if bucketed else some, batch, bucketed=bucketed,
                                            device=device, part=part if bucketed else 1, seed=turn).row()  # fmt: skip

        shape, width = model.encoder.config, 2 + sorted(len(each.text) for each in every)[len(every) // 2]

        def products(_: int) -> Row:
            clock = Clock(device)
            rate = roofline.reachable(shape, batch, width, device)
            return {"seconds": clock.read()[0], "roofline": rate / self._peak()}

        yield f"{place}/ours", own
        yield f"{place}/products", products
        yield f"{place}/trainer_default", trainer(False)
        yield f"{place}/trainer_grouped", trainer(True)
        if not base:
            # a classifier of HanLP sorts by default; told not to, it is as slow as any at random
            yield f"{place}/hanlp_{'bucketed' if task == 'ner' else 'default'}", hanlp(True)
        if place == "train.small":
            yield f"{place}/hanlp_default", hanlp(False)
        formats = {"fp16": {"fp16": True}, "bf16": {"bf16": True}, "without_tf32": {"tf32": False}}
        for name, options in formats.items() if device.type == "cuda" else ():
            if name == "without_tf32" or is_fast(device, name):
                yield f"{place}/{name}", lambda turn, options=options: own(turn, **options)

    def _predictions(self, folder: Path, open_onnx: OnnxOpener | None) -> list[tuple[str, Callable[[int], Row]]]:
        import hanlp

        found = []
        for task, place in (("ner", "predict.small"), ("classify", "predict.small_classify")):
            # with the kit's defaults, so with a CRF where it tags
            options = {"crf": True} if task == "ner" else {}
            learnt = material.sentences(task, self.sizes.predicted)
            _, model = ours.train(task, str(self.encoders["small"]), learnt, self.sizes.batch, **options)
            mine, theirs = Predictor(model), hanlp.load(str(export_hanlp(model, folder / f"hanlp-{task}")))
            texts = [e.text for e in material.sentences(task, self.sizes.predicted, split="test")]
            as_taken = [list(text) for text in texts] if task == "ner" else texts
            work = roofline.of_model(model, [len(text) for text in texts]) / 3  # forward alone
            found += [
                (f"{place}/ours", self._bulk(lambda p=mine, t=texts: p.predict_many(t), texts, work)),
                (f"{place}/hanlp", self._bulk(lambda c=theirs, t=as_taken: c(t), texts, work)),
            ]
            if task == "ner":
                longest = max(texts, key=len) * material.LATENCY_CHARACTERS
                text = longest[: material.LATENCY_CHARACTERS]
                one = {"torch": mine.predict, "hanlp": lambda text, c=theirs: c(list(text))}
                if open_onnx is not None:
                    one["onnx"] = open_onnx(model, folder / "onnx")
                found += [(f"latency.small/{name}", self._calls(answer, text)) for name, answer in one.items()]
        return found

    def _bulk(self, predict: Callable[[], Any], texts: list[str], work: float) -> Callable[[int], Row]:
        def run(_: int) -> Row:
            clock = Clock(self.device)
            predict()
            seconds, wall = clock.read()
            rate = sum(map(len, texts)) / seconds
            return self._with_share({"seconds": seconds, "wall": wall, "tokens_per_second": rate}, work)

        return run

    def _with_share(self, row: Row, work: float) -> Row:
        """The row with its share of the peak."""
        return {**row, "roofline": work / row["seconds"] / self._peak()}

    def _peak(self) -> float:
        """Measured now, as the machine's clock changes."""
        return roofline.peak(self.device, roofline.SIZES[: 1 if self.sizes.quick else None])

    def _calls(self, answer: Callable[[str], Any], text: str) -> Callable[[int], Row]:
        def run(_: int) -> Row:
            answer(text)
            took = []
            for _ in range(self.sizes.calls):
                clock = Clock(self.device)
                answer(text)
                took.append(1000 * clock.read()[0])
            p99 = sorted(took)[int(0.99 * (len(took) - 1))]
            return {"seconds": sum(took) / 1000, "p50_ms": statistics.median(took), "p99_ms": p99}

        return run

    def _memory(self) -> float:
        self.say("memory of a training run, in a process of its own")
        command = [sys.executable, "-m", ours.__name__, str(self.sizes.ner // self.sizes.part)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])

    def _profile(self) -> dict[str, float]:
        self.say("where the time goes")
        sizes = self.sizes
        return ours.profile("ner", str(self.encoders["small"]), self._examples("train.small"), sizes.batch, sizes.part)


def ratios(rows: dict[str, dict[str, Row]]) -> dict[str, Any]:
    """The numbers that the bench is asked for, by dotted name from outside in, each ``{"median", "spread"}``."""
    found: dict[str, Any] = {}

    def put(name: str, values: list[float]) -> None:
        *outer, last = name.split(".")
        place = found
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = {"median": statistics.median(values), "spread": [min(values), max(values)]}

    for name, seeds in rows.items():
        place, _, who = name.partition("/")
        own = rows.get(f"{place}/ours", {})
        if place.startswith("latency"):
            for measure in ("p50_ms", "p99_ms"):
                put(
                    f"{place}.{measure if who == 'torch' else f'{who}_{measure}'}", [r[measure] for r in seeds.values()]
                )
        elif place in ("memory", "padding_fraction"):
            put({"memory": "memory.small.peak_mb"}.get(place, place if who == "ours" else f"{place}_of.{who}"),
                [row["value"] for row in seeds.values()])  # fmt: skip
        elif who == "products":
            put(f"{place}.reachable", [row["roofline"] for row in seeds.values()])
        elif who == "ours":
            for measure in ("roofline", "tokens_per_second"):
                put(f"{place}.{measure}", [row[measure] for row in seeds.values()])
        else:
            times = [own[turn]["tokens_per_second"] / row["tokens_per_second"] for turn, row in seeds.items()]
            put(f"{place}.vs_{who}", times)
    return found


def _summary(values: list[Row]) -> dict[str, Row]:
    parts = {"median": statistics.median, "min": min, "max": max}
    return {part: {name: take([v[name] for v in values]) for name in values[0]} for part, take in parts.items()}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What the peers print is not read by anyone."""
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(verbosity)
        logging.enable_progress_bar()
