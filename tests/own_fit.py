"""HanLP's own ``fit()`` in a process of its own, mended by ``hanlp_tutor.hanlp_compat``.

As a module: :func:`train_all` starts the process; it may run another version of transformers. As a script: train each
component in the working directory, print what came of it.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

MARK = "RESULT:"
ROOT = str(Path(__file__).resolve().parents[1])
QUIET = {"logger": logging.Logger("unheard"), "devices": -1, "seed": 1}


def train_all(folder: Path, other_packages: str | None = None) -> dict[str, Any]:
    """Train in ``folder``, which holds ``encoder/`` and the files that :func:`main` names.

    Args:
        other_packages: a folder whose packages go before the installed ones, such as another transformers.
    """
    path = os.pathsep.join(filter(None, [other_packages, ROOT]))
    environment = os.environ | {"PYTHONPATH": path, "HANLP_VERBOSE": "0", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve())], cwd=folder, env=environment, capture_output=True,
        encoding="utf-8", timeout=1200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.rsplit(MARK, 1)[1])


def _heard(action: Callable[[], Any]) -> list[str]:
    """The warnings of the kit that an action raises, and the error that it ends in."""
    from hanlp_tutor.hanlp_compat import HanLPWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            action()
        except Exception as error:
            return [f"{type(error).__name__}: {error}"]
    return [str(each.message) for each in caught if each.category is HanLPWarning]


def mended_again(hanlp_compat: Any) -> bool:
    """Whether importing the module anew wraps anything a second time."""
    from hanlp.common.vocab import Vocab

    before = Vocab.get_idx
    return importlib.reload(hanlp_compat).mended != hanlp_compat.mended or Vocab.get_idx is not before


def main() -> None:
    import transformers

    from hanlp_tutor import hanlp_compat

    # isort: split
    from hanlp.components.classifiers.transformer_classifier import TransformerClassifier
    from hanlp.components.mtl.multi_task_learning import MultiTaskLearning
    from hanlp.components.mtl.tasks.ner.tag_ner import TaggingNamedEntityRecognition
    from hanlp.components.ner.transformer_ner import TransformerNamedEntityRecognizer
    from hanlp.layers.embeddings.contextual_word_embedding import ContextualWordEmbedding

    encoder = str(Path("encoder").resolve())
    still = {"lr": 0.0, "epochs": 1, **QUIET}

    def ner(out: str, train: str = "ner.tsv", dev: str = "ner.tsv", **options: Any) -> Any:
        component = TransformerNamedEntityRecognizer()
        fixed = {"delimiter_in_entity": "", "tagging_scheme": "BIO", "word_dropout": None}
        component.best = component.fit(train, dev, out, encoder, **fixed | options)
        return component

    def classify(out: str, train: str = "classes.tsv", **options: Any) -> Any:
        component = TransformerClassifier()
        component.fit(train, train, out, transformer=encoder, **options)
        return component

    def multitask(out: str, train: str = "ner.tsv", component: Any = None, **options: Any) -> Any:
        component = component or MultiTaskLearning()
        bio = {"delimiter_in_entity": "", "tagging_scheme": "BIO", "lr": options["lr"]}
        task = TaggingNamedEntityRecognition(train, train, **bio)
        component.best = component.fit(ContextualWordEmbedding("token", encoder), {"ner": task}, out, **options)
        return component

    learn = {"lr": 3e-3, "epochs": 30, "batch_size": 16, **QUIET}
    learn_multitask = {"lr": 3e-3, "encoder_lr": 3e-3, "epochs": 25, "patience": 25, **QUIET}
    still_multitask = still | {"encoder_lr": 0.0}
    first = ner("ner", **learn)
    ner("iobes", "iobes.tsv", "iobes.tsv", tagging_scheme="IOBES", crf=True, **learn)
    classifier = classify("classes", **learn)
    shared = multitask("multitask", **learn_multitask)
    scores = {"ner": float(first.best), "multitask": float(shared.best)}

    ner("ner-on", "more.tsv", finetune="ner", **still)
    classify("classes-on", "more_classes.tsv", finetune="classes", **still)
    multitask("multitask-on", "more.tsv", finetune="multitask", **still_multitask)
    multitask("multitask-same", "more.tsv", component=shared, **still_multitask)  # one that is in memory already

    first.model.encoder.requires_grad_(False)
    Path("frozen").mkdir()
    k2 = still | {"gradient_accumulation": 2}
    print(MARK, json.dumps({
        "transformers": transformers.__version__,
        "mended": hanlp_compat.mended,
        "mended again": mended_again(hanlp_compat),
        "faults left": [fault.__name__ for fault in hanlp_compat.FAULTS if fault() is not None],
        "scores": scores,
        "heard": {
            "raw string": _heard(lambda: first("张三到北京大学")),
            "list": _heard(lambda: first(list("张三到北京大学"))),
            "frozen": _heard(lambda: first.save_weights("frozen")),
            "frozen, all saved": _heard(lambda: first.save_weights("frozen", trainable_only=False)),
            "unseen label": _heard(lambda: ner("unseen", "ner.tsv", "more.tsv", **still)),
            "sum": _heard(lambda: ner("k2", **k2)),
            "ignored": _heard(lambda: classify("k2c", **k2)),
            "mean of means": _heard(lambda: multitask("k2m", gradient_accumulation=2, **still_multitask)),
            "warm-up": _heard(lambda: multitask("k2m", warmup_steps=1000, **still_multitask)),
            "nothing": _heard(lambda: ner("quiet", **still)),
            "column": _heard(lambda: classify("k2c", "no_header.tsv", **still)),
        },
        "classes": classifier.vocabs.label.idx_to_token,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
