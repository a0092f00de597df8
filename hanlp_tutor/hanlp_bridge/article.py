"""The article's listings, made to run: write ``from hanlp_tutor.article import`` in their import lines, nothing else.

A façade over the kit without a logic of its own: each class and function has the article's name and calls the function
of the kit that does the work. Files are those of the kit (:func:`hanlp_tutor.read_examples`), or the article's two
samples: ``train.txt`` with the texts and ``train.tags`` (or ``train.labels``) with their tags or labels beside, or
``train.txt`` with the tags or labels and ``train.texts`` beside.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.predict import Predictor
from hanlp_tutor.core.run import Examples, Result
from hanlp_tutor.core.scores import class_scores, span_scores
from hanlp_tutor.core.task import label_set
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.data import LabelledText, Span, TaggedText, read_examples
from hanlp_tutor.errors import ConfigError, DataError, InputError, ModelError, first_line, nearest
from hanlp_tutor.hanlp_bridge.export import FOLDERS, export_hanlp
from hanlp_tutor.hanlp_bridge.load import check_hanlp
from hanlp_tutor.manifest import new_run_folder

_SUFFIX = {"ner": ".tags", "classify": ".labels"}
_FORMAT = {"ner": "tag-lines", "classify": "label-lines"}


class _Head(dict):
    """``config.ner.head``: knows ``class_num`` only."""

    def __setitem__(self, name: str, value: Any) -> None:
        if name != "class_num":
            raise ConfigError(f"head[{name!r}]: there is only head['class_num'], the number of classes.")
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigError(f"head['class_num'] = {value!r}: a whole number from 1 up belongs here.")
        super().__setitem__(name, value)


class _Task:
    def __init__(self) -> None:
        self.head = _Head()


class MTLConfig:
    """Encoder and task: ``config.task_list = ['ner']``, ``config.ner.head['class_num'] = 5``.

    Raises:
        ConfigError: an attribute or a task that does not exist.
    """

    def __init__(self, encoder: str):
        self.encoder, self.task_list = encoder, []
        self.ner, self.classify = _Task(), _Task()

    @classmethod
    def from_pretrained(cls, encoder: str) -> MTLConfig:
        """A configuration for an encoder by name; it is loaded when ``fit`` needs it."""
        return cls(encoder)

    def __setattr__(self, name: str, value: Any) -> None:
        known = ("encoder", "task_list", "ner", "classify")
        if name not in known:
            raise ConfigError(f"MTLConfig has no {name!r}. Did you mean {nearest(name, known) or known[1]!r}?")
        super().__setattr__(name, value)

    @property
    def task(self) -> str:
        """The one task of the list."""
        tasks = list(self.task_list)
        if len(tasks) != 1 or tasks[0] not in _SUFFIX:
            raise ConfigError(
                f"config.task_list = {tasks}: give ['ner'] or ['classify']. Several at once: notebook 11."
            )
        return tasks[0]


class Predictions(list):
    """Predictions in the form of :meth:`hanlp_tutor.Predictor.predict_many`; ``gold`` holds the file's labels."""

    gold: Examples | None = None


class MultiTaskLearning:
    """``fit``, ``predict`` and ``save`` of the article, for one task."""

    def __init__(self, config: MTLConfig):
        if not isinstance(config, MTLConfig):
            raise ConfigError("MultiTaskLearning takes an MTLConfig: MTLConfig.from_pretrained('mini-bert').")
        self.config = config
        self.model: Model | None = None
        self.out: Path | None = None  # the run folder of the last fit

    def fit(
        self,
        train_data: str | Path,
        val_data: str | Path,
        batch_size: int = 32,
        epochs: int = 10,
        lr: float = 2e-5,
        warmup_steps: int | float = 0.1,
        gradient_accumulation_steps: int = 1,
        gradient_checkpointing: bool = False,
        fp16: bool = False,
        patience: int | None = None,
        **options: Any,
    ) -> Result:
        """Fine-tune by :func:`hanlp_tutor.fine_tune`; the run folder is the next one under ``runs/article/``.

        Args:
            train_data, val_data: files; see the module.
            lr: of the encoder θ. The head φ learns at ``head_lr``, by default the article's 1e-3.
            options: any other option of :class:`hanlp_tutor.TrainConfig`, by its name.

        Raises:
            ConfigError: an unknown option, a warm-up that would never end, a ``class_num`` that does not fit.
            DataError: a file that cannot be read.
        """
        task = self.config.task
        config = TrainConfig(
            batch_size=batch_size, epochs=epochs, lr=lr, warmup_steps=warmup_steps, fp16=fp16, patience=patience,
            gradient_accumulation_steps=gradient_accumulation_steps, gradient_checkpointing=gradient_checkpointing,
            **options,
        )  # fmt: skip
        train, dev = _read(task, train_data), _read(task, val_data)
        labels = label_set(task, train)
        _check_class_num(getattr(self.config, task).head.get("class_num"), task, labels)
        model = build_model(task, self.config.encoder, labels, config)
        self.out = new_run_folder("article")
        result = fine_tune(model, train, dev, config, self.out)
        self.model = model
        return result

    def predict(self, data: str | Path | Sequence[str]) -> Predictions:
        """Predictions for a file, with its gold labels beside them, or for texts.

        Raises:
            ModelError: before ``fit``.
            DataError: no such file, or one that cannot be read.
        """
        model = self._trained("predict")
        gold = None
        if isinstance(data, (str, Path)):
            if not os.path.isfile(data):  # a raw text, perhaps, too long for the name of a file
                raise DataError("there is no such file.", path=data, remedy="For texts pass a list: predict([text]).")
            gold = _read(model.task, data)
            data = [example.text for example in gold]
        predictions = Predictions(Predictor(model).predict_many(data))
        predictions.gold = gold
        return predictions

    def save(self, folder: str | Path) -> Path:
        """Write a folder that plain ``hanlp.load`` opens, by :func:`hanlp_tutor.export_hanlp`."""
        return export_hanlp(self._trained("save"), folder)

    def _trained(self, action: str) -> Model:
        if self.model is None:
            raise ModelError(f"There is nothing to {action} yet: call fit() first.")
        return self.model


def get_resource(path: str) -> str:
    """The path of a file that exists.

    Raises:
        DataError: it does not.
    """
    if not Path(path).is_file():
        raise DataError("there is no such file.", path=path, remedy="Put your own file there, or mend the path.")
    return path


class ClassificationMetric:
    """Scores over all updates: spans for entities, accuracy, macro and micro F1 for classes."""

    def __init__(self) -> None:
        self._gold: list[Any] = []
        self._predicted: list[Any] = []

    def update(self, predictions: Sequence[dict[str, Any]], gold: Examples | None = None) -> None:
        """Count predictions of ``mtl.predict`` against the gold labels.

        The article passes no gold labels, and without them there is nothing to measure. Predictions for a file carry
        those of the file; for others give them.

        Args:
            predictions: from :meth:`MultiTaskLearning.predict`.
            gold: the examples, or for classes their names.

        Raises:
            InputError: no gold labels, or another number of them.
        """
        gold = getattr(predictions, "gold", None) if gold is None else gold
        if gold is None:
            raise InputError(
                "metric.update(predictions) needs the gold labels, which the article forgot: "
                "metric.update(predictions, gold), or predict a file that has them."
            )
        if len(gold) != len(predictions):
            raise InputError(f"{len(predictions)} predictions, {len(gold)} gold labels: give one for each.")
        self._gold += [_gold(each) for each in gold]
        self._predicted += [_predicted(each) for each in predictions]

    def scores(self) -> dict[str, Any]:
        """What :func:`hanlp_tutor.core.scores.span_scores` or :func:`~hanlp_tutor.core.scores.class_scores` return."""
        if not self._gold:
            raise InputError("Nothing was counted yet: call metric.update(predictions, gold) first.")
        return (class_scores if isinstance(self._gold[0], str) else span_scores)(self._gold, self._predicted)

    def report(self) -> str:
        """The scores as lines of text: overall first, then each type or class."""
        scores = self.scores()
        rows = scores.pop("per_type", None) or scores.pop("per_class", {})
        lines = ["  ".join(f"{name} {value:.4f}" for name, value in scores.items() if not isinstance(value, dict))]
        width = max(map(len, rows), default=0)
        lines += [
            f"{name:{width}}  precision {row['precision']:.4f}  recall {row['recall']:.4f}  f1 {row['f1']:.4f}  "
            f"support {row['support']}"
            for name, row in rows.items()
        ]
        return "\n".join(lines)


class HanLP:
    """``HanLP.load``: real HanLP, for a folder by any path; what it returns takes raw text."""

    @staticmethod
    def load(folder: str | Path) -> _Loaded:
        """Look through a folder (:func:`hanlp_tutor.hanlp_bridge.load.check_hanlp`) and open it with ``hanlp.load``.

        Raises:
            ModelError: not a HanLP folder, one that is refused, or one that HanLP cannot open.
        """
        folder = Path(folder).resolve()  # HanLP takes a relative path from its own resources' point of view
        config = check_hanlp(folder)
        import hanlp

        moved = {}
        if "transformer" in config and (folder / "transformer").is_dir():
            moved = {"transformer": str(folder / "transformer")}
        try:
            return _Loaded(hanlp.load(str(folder), verbose=False, **moved), config["classpath"])
        except Exception as error:  # in a failure HanLP imports pkg_resources, whose absence hides the failure
            reason = first_line(error.__context__ or error)
            raise ModelError(f"{folder}: HanLP cannot open it ({reason}). Moved? Try: hanlp-tutor relocate") from error


class _Loaded:
    """A HanLP component that reads a string as one text, where a NER component would read its characters as texts."""

    def __init__(self, component: Any, classpath: str):
        self.component = component
        self._by_character = classpath == FOLDERS["ner"].classpath

    def __call__(self, text: str | Sequence[str]) -> Any:
        if not self._by_character:
            return self.component(text)
        if isinstance(text, str):
            return self.component(list(text))
        return self.component([list(each) for each in text])


def _read(task: str, path: str | Path) -> Examples:
    """A file of the kit, or one of the article's pairs."""
    path = Path(path)
    labels, texts = path.with_suffix(_SUFFIX[task]), path.with_suffix(".texts")
    if labels != path and labels.exists():
        return read_examples(task, labels, format=_FORMAT[task], texts=path)
    if texts.exists():
        return read_examples(task, path, format=_FORMAT[task], texts=texts)
    return read_examples(task, path)


def _check_class_num(number: int | None, task: str, labels: Sequence[str]) -> None:
    if task == "classify":
        fitting = {len(labels): f"the {len(labels)} classes"}
    else:
        types = sorted({label[2:] for label in labels if label != "O"})
        # the article's 5 is the number of tags of its sample: O, B-PER, I-PER, B-ORG, I-ORG
        fitting = {len(labels): f"the {len(labels)} tags", len(types): f"the {len(types)} types"}
    if number is not None and number not in fitting:
        raise ConfigError(
            f"class_num = {number} fits not {', nor '.join(fitting.values())} in the training data: "
            f"{', '.join(labels)}. Drop it, or mend the data."
        )


def _gold(example: Any) -> Any:
    if isinstance(example, TaggedText):
        return list(example.spans)
    return example.label if isinstance(example, LabelledText) else example


def _predicted(prediction: dict[str, Any]) -> Any:
    if "entities" in prediction:
        return [Span(each["start"], each["end"], each["label"]) for each in prediction["entities"]]
    return prediction["label"]
