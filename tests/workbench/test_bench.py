"""The bench runs, all contestants see the same tokens and learn from them; how fast is not for a test to judge."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, BertModel

from hanlp_tutor.workbench.bench import peers, report, roofline

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("bench")  # one quick bench for all
VERSUS = {
    "train.small": ("trainer_default", "trainer_grouped", "hanlp_default", "hanlp_bucketed"),
    "train.small_classify": ("trainer_default", "trainer_grouped", "hanlp_default"),
    "train.base": ("trainer_default", "trainer_grouped"),
    "predict.small": ("hanlp",),
    "predict.small_classify": ("hanlp",),
}


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """What ``bench --quick`` writes; a process of its own, as HanLP is mended where it is imported."""
    out = tmp_path_factory.mktemp("bench") / "speed.json"
    command = [sys.executable, "-m", "hanlp_tutor.cli", "bench", "--quick", "--json", "--out", str(out)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr[-3000:]
    content = json.loads(out.read_text(encoding="utf-8"))
    assert json.loads(done.stdout.splitlines()[-1]) == content
    return content


@pytest.mark.slow
def test_what_was_asked_for_is_there(quick):
    names = [f"{place}.vs_{rival}" for place, rivals in VERSUS.items() for rival in rivals]
    trained = [place for place in VERSUS if place.startswith("train")]
    names += [f"{place}.{share}" for place in trained for share in ("roofline", "reachable")]
    names += ["padding_fraction", "latency.small.p50_ms", "latency.small.p99_ms", "latency.small.hanlp_p50_ms"]
    for name in names:
        value = report.at(quick, name)
        assert value is not None and value.keys() == {"median", "spread"}, name
        low, high = value["spread"]
        assert 0 <= low <= value["median"] <= high and math.isfinite(high), name
    assert quick["command"] == quick["command_line"], "no path of the machine that measured"


@pytest.mark.slow
def test_all_contestants_see_the_same_tokens_and_learn_from_them(quick):
    for place in (place for place in VERSUS if place.startswith("train")):
        rows = [quick["rows"][f"{place}/{who}"]["median"] for who in ("ours", *VERSUS[place])]
        assert len({row["tokens"] for row in rows}) == len({row["filled"] for row in rows}) == 1
        assert all(math.isfinite(row["loss"]) and row["computed"] >= row["filled"] > row["tokens"] for row in rows)


@pytest.mark.slow
def test_the_page_shows_every_ratio_and_says_what_was_not_measured(quick):
    text = report.page(quick)
    for place, rivals in VERSUS.items():
        assert all(report.shown(report.at(quick, f"{place}.vs_{rival}")) in text for rival in rivals)
    assert "| not measured | not measured |" in text, "the quick bench starts no process for the peak of memory"
    assert set(quick["seconds"]) == {"1"} and f"All of it took {quick['seconds']['1'] / 60:.1f} minutes." in text
    before = {name: value for name, value in quick.items() if name != "seconds"}
    assert "The contestants computed for " in report.page(before), "a file of an earlier version"


def test_the_operations_are_those_that_pytorch_counts():
    config = BertConfig(vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=32, attn_implementation="eager")  # fmt: skip
    encoder, head = BertModel(config, add_pooling_layer=False).eval(), torch.nn.Linear(16, 7)
    shape = {"layers": 2, "hidden": 16, "inner": 32, "classes": 7}
    lengths = [5, 9]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        for length in lengths:
            head(encoder(torch.ones(1, length + 2, dtype=torch.long)).last_hidden_state)
    assert roofline.operations(lengths, **shape, tagging=True) == 3 * counter.get_total_flops()


def test_the_products_alone_are_those_that_are_counted(monkeypatch):
    from hanlp_tutor.workbench.bench import material, ours

    done = {"operations": 0}
    for name in ("mm", "bmm"):
        multiply = getattr(torch, name)

        def counted(a, b, *, out, multiply=multiply):
            done["operations"] += 2 * out.numel() * a.shape[-1]
            return multiply(a, b, out=out)

        monkeypatch.setattr(torch, name, counted)
    _, model = ours.new_model("ner", material.EMBEDDED, material.sentences("ner", 4))
    assert roofline.reachable(model.encoder.config, 4, 42, model.device, enough=0.0) > 0
    work = roofline.operations([40] * 4, layers=3, hidden=256, inner=1024, classes=0, tagging=True)
    assert done["operations"] == (roofline.STEPS + 1) * work, "one step to warm up"


def test_padding_is_that_of_the_batches_that_are_drawn():
    even = peers.padding([8] * 64, 4, seed=1)
    assert set(even.values()) == {0.0}
    mixed = peers.padding([2, 38] * 64, 4, seed=1)
    assert mixed["ours"] == mixed["hanlp_bucketed"] == 0.0 < mixed["trainer_grouped"] < mixed["trainer_default"] < 0.5


def test_without_a_gpu_make_gpu_says_so():
    if torch.cuda.is_available():
        pytest.skip("there is one")
    for more, code in (([], 1), (["--allow-none"], 0)):
        command = [sys.executable, str(ROOT / "tools" / "gpu.py"), *more]
        done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
        assert done.returncode == code and "no CUDA device" in done.stdout


@pytest.mark.parametrize("gpus", [1, 2])
def test_make_gpu_holds_one_gpu_beside_all_of_them_where_there_are_several(gpus, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import gpu

    def run(command, **_):
        rows = {f"{n} process{'es' * (n > 1)}": {"seeds": {"1": {"tokens_per_second": 100.0 * n}}} for n in (1, 2)}
        path = Path(command[-1]) / "devices.json"
        path.write_text(json.dumps({"settings": {"processes": 2}, "rows": rows}), encoding="utf-8")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(gpu.torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(gpu.subprocess, "run", run)
    found = gpu.devices()
    if gpus == 1:
        assert found == "not measured: there is one GPU"
    else:
        assert found["vs_one"] == {"median": 2.0, "spread": [2.0, 2.0]}
        assert "devices.vs_one" in report.table({"devices": found})
