"""The article's listing, line by line, tried on the HanLP that is installed here."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SWITCHES = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HANLP_VERBOSE": "0"}


class _Nowhere(io.TextIOBase):
    """A stream that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)


_NOWHERE = _Nowhere()
_REAL = "from hanlp.components.mtl.multi_task_learning import MultiTaskLearning"
_EMBEDDING = "from hanlp.layers.embeddings.contextual_word_embedding import ContextualWordEmbedding"
_KIT_GROUND = """
from hanlp_tutor.article import MTLConfig, MultiTaskLearning, get_resource
config = MTLConfig.from_pretrained('bert-base-chinese')
config.task_list = ['ner']
mtl = MultiTaskLearning(config)
"""
_TASK = "from hanlp.components.mtl.tasks.ner.tag_ner import TaggingNamedEntityRecognition"


@dataclass(frozen=True)
class Line:
    """A line of the article and what takes its place.

    Attributes:
        article: the line.
        given: what has to have happened before it; mended, so that each line is judged by itself.
        instead: what to write with the real HanLP; empty where the article's line is right.
        probe: code that runs without data or download and shows that what ``instead`` names exists.
    """

    article: str
    given: str = ""
    instead: str = ""
    probe: str = ""


LINES = (
    Line("from hanlp.components.mtl import MultiTaskLearning", instead=_REAL, probe=_REAL),
    Line(
        "from hanlp.tasks.mtl.multi_task_learning import MTLConfig",
        instead="the options of MultiTaskLearning.fit()",
        probe=f"{_REAL}; MultiTaskLearning.fit",
    ),
    Line("from hanlp.utils.io_util import get_resource"),
    Line(
        "config = MTLConfig.from_pretrained('bert-base-chinese')",
        instead="ContextualWordEmbedding('token', 'bert-base-chinese')",
        probe=_EMBEDDING,
    ),
    Line(
        "config.task_list = ['ner']",
        instead="tasks={'ner': TaggingNamedEntityRecognition(train, dev)}",
        probe=_TASK,
    ),
    Line(
        "mtl = MultiTaskLearning(config)",
        f"{_REAL}; config = {{}}",
        "MultiTaskLearning()",
        f"{_REAL}; MultiTaskLearning()",
    ),
    Line(
        "mtl.fit(train_data='train.txt', val_data='val.txt', batch_size=32, epochs=10, lr=2e-5, warmup_steps=1000)",
        f"{_REAL}; mtl = MultiTaskLearning()",
        "mtl.fit(encoder, tasks, save_dir, ...)",
        f"{_REAL}; MultiTaskLearning().fit",
    ),
    Line(
        "from hanlp.metrics.classification_metric import ClassificationMetric",
        instead="from hanlp.metrics.accuracy import CategoricalAccuracy",
        probe="from hanlp.metrics.accuracy import CategoricalAccuracy",
    ),
    Line("from hanlp import HanLP", instead="import hanlp; hanlp.load(folder)", probe="import hanlp; hanlp.load"),
)


# The eleven statements of the article's training listing. Those above leave four of them out, which say no more than
# their neighbours, and take in two imports of its other listings.
TRAINING = (
    *LINES[:5],
    Line("config.ner.head['class_num'] = 5"),
    LINES[5],
    Line("train_data = get_resource('path/to/train.txt')", LINES[2].article),
    Line("val_data = get_resource('path/to/val.txt')", LINES[2].article),
    LINES[6],
    Line("mtl.save('finetuned_hanlp')", f"{_REAL}; mtl = MultiTaskLearning()"),
)


def try_training() -> list[dict[str, Any]]:
    """Run each statement of :data:`TRAINING` by itself, as :func:`try_listing` does; its two files are there.

    Of ``save``, which needs a trained model, the arguments are looked at.

    Returns:
        For each ``line``, ``works`` and ``kit works`` (bool).
    """
    with tempfile.TemporaryDirectory() as folder:
        for name in ("train.txt", "val.txt"):
            Path(folder, name).touch()
        return [
            {
                "line": line.article,
                "works": attempt(_save_bound(line.article).replace("path/to", folder), line.given) is None,
                "kit works": attempt(_kit_probe(line.article).replace("path/to", folder), _KIT_GROUND) is None,
            }
            for line in TRAINING
        ]


def try_listing() -> list[dict[str, Any]]:
    """Run each line of the listing, and what should take its place, on the installed HanLP; offline.

    Returns:
        For each line ``line``, ``works`` (bool), ``what happens``, ``instead``, ``instead exists`` (bool, None where
        nothing is needed instead), ``kit`` (the line with :mod:`hanlp_tutor.article` in place of HanLP) and
        ``kit works`` (bool).
    """
    rows = []
    for line in LINES:
        error = attempt(line.article, line.given)
        rows.append(
            {
                "line": line.article,
                "works": error is None,
                "what happens": "works" if error is None else explain(error),
                "instead": line.instead,
                "instead exists": attempt(line.probe) is None if line.instead else None,
                "kit": kit_line(line.article),
                "kit works": attempt(_kit_probe(line.article), _KIT_GROUND) is None,
            }
        )
    return rows


def kit_line(line: str) -> str:
    """An import line of the article with the kit's façade for HanLP; another line as it stands."""
    return re.sub(r"^from hanlp[\w.]* import", "from hanlp_tutor.article import", line)


def _kit_probe(line: str) -> str:
    """What shows, without data, that a line runs with the kit: of training and saving the arguments."""
    return _bound(_save_bound(kit_line(line)), "fit")


def _save_bound(line: str) -> str:
    return _bound(line, "save")


def _bound(line: str, method: str) -> str:
    """A call of ``mtl``'s method as a look at its arguments; another line as it stands."""
    call = f"mtl.{method}("
    return f"import inspect; inspect.signature({call[:-1]}).bind({line.removeprefix(call)}" if call in line else line


def attempt(code: str, given: str = "") -> Exception | None:
    """Run a line after the lines it stands on; the exception that it raises, or None.

    What ``given`` raises is raised: a line can only be judged on ground that holds.
    """
    namespace: dict[str, Any] = {}
    with _quietly_offline():
        exec(given, namespace)
        try:
            exec(code, namespace)
        except Exception as error:
            return error
    return None


def explain(error: Exception) -> str:
    """Type and message, without the folder of this machine that an ImportError ends in."""
    message = re.sub(r"\s*\((/|[A-Z]:\\)[^)]*\)$", "", str(error))
    return f"{type(error).__name__}: {message}"


def own_fit_error() -> Exception | None:
    """Call ``fit()`` of HanLP's own NER component on four sentences and a fresh small encoder; what it raises, or None.

    What HanLP prints on its way is swallowed.
    """
    with tempfile.TemporaryDirectory() as folder, _quietly_offline(), _quiet_transformers():
        from hanlp.components.ner.transformer_ner import TransformerNamedEntityRecognizer

        from hanlp_tutor.encoders import load_encoder

        here, encoder, component = Path(folder), load_encoder("random:mini-bert"), TransformerNamedEntityRecognizer()
        encoder.module.save_pretrained(here / "encoder")
        encoder.tokenizer.save_pretrained(here / "encoder")
        train = str(here / "train.tsv")
        Path(train).write_text("张\tB-PER\n三\tI-PER\n\n" * 4, encoding="utf-8")
        quiet = {"verbose": False, "logger": logging.Logger("unheard")}
        try:
            component.fit(train, train, str(here / "out"), str(here / "encoder"), epochs=1, devices=-1, **quiet)
        except Exception as error:
            return error
    return None


@contextlib.contextmanager
def _quietly_offline() -> Iterator[None]:
    """No hub, and nothing printed, while the block runs.

    HanLP's progress printers keep for good the stream that they find when they are imported. Imported in here first,
    they stay silent for the rest of the process.
    """
    before = {name: os.environ.get(name) for name in _SWITCHES}
    os.environ.update(_SWITCHES)
    try:
        with contextlib.redirect_stdout(_NOWHERE), contextlib.redirect_stderr(_NOWHERE):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Neither its progress bars, which would be widgets in a notebook, nor its remarks on loading."""
    from transformers.utils import logging as transformers_logging

    verbosity, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()
