"""``python -m experiments.same_bytes``: what the synthetic corpora say, as SHA-256, under this Python.

A row of ``results/same_bytes.json`` is a version of Python; run it under each. Composing texts needs numpy, scipy,
pydantic, pyyaml and filelock of the kit's packages, so another Python takes a minute::

    python3.13 -m venv other && other/bin/pip install numpy scipy pydantic pyyaml filelock
    other/bin/python -m experiments.same_bytes

``tests/corpora/test_synthetic.py`` says what the beginning of each is; all rows have to agree.
"""

import hashlib
import json
import platform

from hanlp_tutor.corpora import clinic, load_corpus
from hanlp_tutor.files import write_json
from hanlp_tutor.manifest import manifest, versions
from hanlp_tutor.teach.results import SCHEMA, results_folder

CASES = [*(("clinic", task) for task in clinic.TASKS), ("laundering", "classify"), ("faults", "classify")]
FIELDS = {"ner": ("text", "tags"), "relation": ("text", "head", "tail", "relation"), "classify": ("text", "label")}
BEGINNING = 300  # training examples, beside all of dev and test; None: the whole corpus


def digest(name: str, task: str, size: int | None = BEGINNING, seed: int = 1) -> str:
    """SHA-256 of all that the examples of a synthetic corpus say, set by set."""
    corpus = load_corpus(name, task=task, seed=seed, **({"size": size} if size else {}))
    examples = [*corpus.train, *corpus.dev, *corpus.test]
    said = [tuple(getattr(example, field) for field in FIELDS[task]) for example in examples]
    return hashlib.sha256("\n".join(map(repr, said)).encode()).hexdigest()


def main() -> None:
    path = results_folder() / "same_bytes.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else {}
    here = manifest(device=platform.machine(), versions=versions(("numpy", "scipy", "pydantic", "pyyaml")))
    sizes = {"beginning": BEGINNING, "whole": None}
    found = {which: {f"{n}/{task}": digest(n, task, size) for n, task in CASES} for which, size in sizes.items()}
    found["whole, seed 2"] = {f"{n}/{task}": digest(n, task, None, seed=2) for n, task in CASES}
    rows[platform.python_version()] = {**here, "sha256": found}
    head = {"schema": SCHEMA, "experiment": "same_bytes", "command_line": "python -m experiments.same_bytes"}
    write_json(path, {**head, "rows": rows})
    print(f"Python {platform.python_version()}: {len(rows)} rows in {path.name}")


if __name__ == "__main__":
    main()
