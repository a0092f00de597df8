"""What `make run` does is what ``results/finetune_ner.json`` measured: the same encoder, rates and sentences."""

import ast
import re
from pathlib import Path

import notebook_rules
import pytest

from hanlp_tutor.encoders.mini import BEST_TAGGER, EMBEDDED
from hanlp_tutor.teach.results import GRID, current_rows, read_results

ROOT = Path(__file__).parents[1]
CONTENT = read_results("finetune_ner") or {"rows": {}}
ROWS = current_rows(CONTENT)
pytestmark = pytest.mark.skipif(BEST_TAGGER not in ROWS, reason="nobody has measured with today's weights")


def options_of_make_run() -> dict:
    """The class profile of notebook 05, with what the Makefile changes."""
    in_class = ast.literal_eval(notebook_rules.read(ROOT / "notebooks" / "05_finetune_ner.ipynb").in_class)
    (command,) = re.findall(r"^\t@\S+hanlp-tutor run 05(.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    changes = dict(re.findall(r"-p (\w+) (\S+)", command))
    sizes = {name: ast.literal_eval(value) for name, value in changes.items() if name != "encoder"}
    return {**in_class, **sizes, "encoder": changes["encoder"]}


def test_make_run_is_the_measured_run():
    options = options_of_make_run()
    assert options.pop("encoder") == BEST_TAGGER
    assert options.pop("sentences") == CONTENT["settings"]["sentences"]
    assert options.pop("test_sentences") is None and options.pop("dev_sentences") == 500
    assert options.pop("corpus") == CONTENT["settings"]["corpus"]
    assert options == {**CONTENT["settings"]["options"], "lr": ROWS[BEST_TAGGER]["depends_on"]["lr"]}


def test_its_encoder_is_the_best_on_dev_of_those_measured():
    """By dev, not by test: a choice that the test set made would flatter the figure that it gives."""
    rivals = {name: ROWS[name]["median"]["best_dev"] for name in EMBEDDED if name in ROWS}
    assert max(rivals, key=rivals.get) == BEST_TAGGER


def test_its_rate_is_the_best_on_dev():
    grid = {
        name.rsplit("=", 1)[1]: row["median"]["dev"]
        for name, row in ROWS.items()
        if name.startswith(f"{GRID}{BEST_TAGGER}/")
    }
    assert float(max(grid, key=grid.get)) == ROWS[BEST_TAGGER]["depends_on"]["lr"]
