"""Plain HanLP predicts in a process that knows nothing of the kit, and its failures become errors."""

import subprocess
import sys

import pytest

from hanlp_tutor import Predictor, TrainConfig, build_model, export_hanlp
from hanlp_tutor.teach import plain_hanlp
from hanlp_tutor.teach.plain_hanlp import ask_plain_hanlp


@pytest.mark.slow
def test_same_label_as_ours(tmp_path):
    model = build_model("classify", "random:mini-bert", ("negative", "positive"), TrainConfig()).eval()
    texts = ["房间很干净。", "书有缺页，而且很贵！"]
    folder = export_hanlp(model, tmp_path / "hanlp")
    assert ask_plain_hanlp(folder, texts) == [one["label"] for one in Predictor(model).predict_many(texts)]


@pytest.mark.slow
def test_failure_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="could not predict"):
        ask_plain_hanlp(tmp_path / "nothing", ["text"])


def test_the_kit_is_hidden_there():
    code = (
        "import runpy, sys, types\n"
        "def load(folder):\n"
        "    import hanlp_tutor\n"
        "sys.modules['hanlp'] = types.SimpleNamespace(load=load)\n"
        f"runpy.run_path({plain_hanlp.__file__!r})['predict']('folder', [])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "import of hanlp_tutor halted" in done.stderr
