"""``python -m experiments.article``: what of the article can be tried at once, on the HanLP that is installed here.

Its listings line by line, its two samples of data, HanLP's own ``fit()``, the options that HanLP has and their
defaults, the versions that today's libraries ask for, the gradient of accumulated batches, and the memory that each of
its three remedies saves.
No corpus is downloaded and nothing is learned. A row is a question; 1 says yes and 0 no.
"""

import inspect
import re
import tempfile
from importlib.metadata import requires, version
from pathlib import Path

import torch

from hanlp_tutor import TrainConfig, build_model, load_corpus
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.precision import apply_options
from hanlp_tutor.core.task import label_set
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.lessons.l00.listing import attempt, own_fit_error, try_listing, try_training
from hanlp_tutor.teach.lessons.l07.accumulation import gradient, kept_bytes, relative_error, split, valid
from hanlp_tutor.teach.lessons.l14.base_shape import base_classifier
from hanlp_tutor.teach.results import Experiment

ENCODER = "mini-bert"
LENGTH = 126  # characters of a text: 128 positions, with the two marks
BATCH = 32  # the article's


def main() -> None:
    settings = {"encoder": ENCODER, "batch_size": BATCH, "positions": LENGTH + 2}
    experiment = Experiment("article", settings, manifest(describe_device(choose_device())))
    installed = {"versions": {name: version(name) for name in ("hanlp", "torch", "transformers")}}
    for question in (listing, training_listing, names, samples, own_fit, options, versions, metrics):
        experiment.measure(question.__name__, [1], lambda seed, ask=question: ask(), depends_on=installed)
    experiment.measure("accumulation", [1, 2, 3], accumulated, depends_on=installed)
    texts = long_texts()
    labels = label_set("classify", texts)
    experiment.measure("memory/small", [1], lambda seed: memory(
        build_model("classify", ENCODER, labels, TrainConfig()), texts), depends_on=installed)  # fmt: skip
    experiment.measure("memory/base", [1], lambda seed: memory(base_classifier(labels), texts, half=False),
                       depends_on=installed)  # fmt: skip


def listing() -> dict[str, float]:
    """The lines of the article's training example, each judged by itself."""
    tried = try_listing()
    return {"lines": len(tried), "run": sum(row["works"] for row in tried),
            "run with the kit": sum(row["kit works"] for row in tried)}  # fmt: skip


def training_listing() -> dict[str, float]:
    """All statements of the training listing, each judged by itself."""
    tried = try_training()
    return {"statements": len(tried), "run": sum(row["works"] for row in tried),
            "run with the kit": sum(row["kit works"] for row in tried)}  # fmt: skip


def names() -> dict[str, float]:
    """Whether HanLP's components are PyTorch's, and names of the article that are looked for in HanLP and in the kit.

    ``class_num`` is looked for in all of HanLP's source, as the one option of it.
    """
    import hanlp
    from hanlp.common.torch_component import TorchComponent
    from hanlp.components.mtl.multi_task_learning import MultiTaskLearning
    from hanlp.components.ner.transformer_ner import TransformerNamedEntityRecognizer

    sources = Path(hanlp.__file__).parent.rglob("*.py")
    return {
        "built on PyTorch": float(all(issubclass(component, TorchComponent)
                                      for component in (MultiTaskLearning, TransformerNamedEntityRecognizer))),
        "HanLP": float(attempt("from hanlp import HanLP") is None),
        "HanLP in the kit": float(attempt("from hanlp_tutor.article import HanLP") is None),
        "class_num": float(any("class_num" in path.read_text("utf-8") for path in sources)),
    }  # fmt: skip


def samples() -> dict[str, float]:
    """What HanLP's readers make of two texts with tags or labels, and of the article's samples, which have no text."""
    from hanlp.common.dataset import TableDataset
    from hanlp.datasets.ner.loaders.tsv import TSVTaggingDataset

    tagged, labelled = "张\tB-PER\n三\tI-PER\n\n" * 2, "text\tlabel\n很好\tpositive\n不好\tnegative\n"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "data.tsv"

        def read(reader: type, text: str) -> list:
            file.write_text(text, encoding="utf-8")
            return list(reader(str(file)))

        tags = read(TSVTaggingDataset, "O O B-PER I-PER O B-ORG O\n")
        return {
            "tagged texts": len(read(TSVTaggingDataset, tagged)),
            "labelled texts": sum("text" in row for row in read(TableDataset, labelled)),
            "tags of the sample": 7, "tags read": sum(len(row["tag"]) for row in tags),
            "labels of the sample": 2,
            "labels read": sum("label" in row for row in read(TableDataset, "positive\nnegative\n")),
        }  # fmt: skip


def own_fit() -> dict[str, float]:
    """HanLP's ``fit()`` with the right names, and with what the kit mends."""
    unmended = own_fit_error()
    from hanlp_tutor import hanlp_compat

    mended = own_fit_error()
    return {"trains": float(unmended is None), "trains mended": float(mended is None),
            "faults": len(hanlp_compat.mended)}  # fmt: skip


def options() -> dict[str, float]:
    """What HanLP's ``fit()`` offers, and its defaults."""
    from hanlp.components.classifiers.transformer_classifier import TransformerClassifier
    from hanlp.components.mtl.multi_task_learning import MultiTaskLearning
    from hanlp.components.ner.transformer_ner import TransformerNamedEntityRecognizer
    from hanlp.layers.embeddings.contextual_word_embedding import ContextualWordEmbedding

    multi = inspect.signature(MultiTaskLearning.fit).parameters
    fits = [inspect.signature(of.fit).parameters for of in (MultiTaskLearning, TransformerNamedEntityRecognizer,
                                                            TransformerClassifier)]  # fmt: skip
    sources = inspect.getsource(inspect.getmodule(MultiTaskLearning))
    embedding = inspect.signature(ContextualWordEmbedding.__init__).parameters
    return {
        "encoder_lr": multi["encoder_lr"].default, "lr": multi["lr"].default,
        "warmup_steps": multi["warmup_steps"].default, "patience": multi["patience"].default,
        "weight_decay": multi["weight_decay"].default,
        "classifier has patience": float("patience" in fits[2]),
        "gradient_accumulation": float("gradient_accumulation" in multi),
        "gradient_accumulation_steps": float(any("gradient_accumulation_steps" in fit for fit in fits)),
        "gradient_checkpointing": float(any("gradient_checkpointing" in fit for fit in fits)),
        "fp16": float(any("fp16" in fit for fit in fits)), "l2": float(any("l2" in fit for fit in fits)),
        "AdamW": float("optimization.AdamW" in sources),
        "encoder frozen or trained": float("trainable" in embedding),
        "layers to train": float(any("layer" in name for name in embedding)),
    }  # fmt: skip


def versions() -> dict[str, float]:
    """The least torch that the installed transformers takes, and what ``hanlp[full]`` brings."""
    from transformers.utils import import_utils

    asked = re.search(r"PyTorch >= (\d+)\.(\d+)", Path(inspect.getsourcefile(import_utils)).read_text("utf-8"))
    major, minor = map(int, asked.groups())
    full = [line for line in requires("hanlp") if "full" in line.partition(";")[2]]
    return {"least torch, major": major, "least torch, minor": minor,
            "full brings tensorflow": float(any(line.startswith("tensorflow") for line in full))}  # fmt: skip


def metrics() -> dict[str, float]:
    """Which of the six measures HanLP's own metrics compute while it trains or evaluates."""
    from hanlp.metrics.accuracy import CategoricalAccuracy
    from hanlp.metrics.f1 import F1

    f1 = {name for base in F1.__mro__ for name in vars(base)}
    accuracy = inspect.getsource(inspect.getmodule(CategoricalAccuracy)).lower()
    return {"precision, recall, f1": float("prf" in f1), "accuracy": float("correct" in accuracy),
            "macro f1 of classes": float("macro" in accuracy),
            "micro f1 of classes": float("micro" in accuracy)}  # fmt: skip


def accumulated(seed: int) -> dict[str, float]:
    """How far the gradient of 4 x 8 sentences is from that of 1 x 32: by the kit, as the mean of means, by HanLP."""
    torch.manual_seed(seed)
    corpus = load_corpus("peoples_daily")
    sentences = [e for e in corpus.train if len(e.text) <= 60][32 * (seed - 1) : 32 * seed]
    model = build_model("ner", ENCODER, label_set("ner", corpus.train), TrainConfig(crf=False, seed=seed)).eval()
    examples = [model.encode(sentence) for sentence in sentences]
    parts, n = split(examples, 8), valid(examples)
    whole = gradient(model, [examples], [n])
    means = gradient(model, parts, [len(parts) * valid(part) for part in parts])
    summed = gradient(model, [examples], [1])  # HanLP's loss is a sum, which it divides by the number of batches
    theirs = gradient(model, parts, [len(parts)] * len(parts))
    return {"kit": relative_error(gradient(model, parts, [n] * len(parts)), whole),
            "mean of means": relative_error(means, whole),
            "HanLP, times": float(theirs.norm() / summed.norm())}  # fmt: skip


def long_texts() -> list:
    """As many reviews as a batch has, each cut where it would leave the window; shorter ones are left out."""
    from dataclasses import replace

    long = [e for e in load_corpus("reviews").train if len(e.text) >= LENGTH]
    return [replace(e, text=e.text[:LENGTH]) for e in long[:BATCH]]


def memory(model: Model, texts: list, *, half: bool = True) -> dict[str, float]:
    """Megabytes that a forward pass keeps for the backward pass, and the shares that the remedies leave of it."""
    def kept(examples: list, dtype: torch.dtype | None = None) -> int:
        batch = model.collate([model.encode(example) for example in examples])
        with torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None):
            return kept_bytes(model, batch)

    model.train()
    whole = kept(texts)
    found = {"MB": whole / 1e6, "half the batch": kept(texts[: len(texts) // 2]) / whole}
    if half:
        found |= {"fp16": kept(texts, torch.float16) / whole, "bf16": kept(texts, torch.bfloat16) / whole}
    apply_options(model, TrainConfig(gradient_checkpointing=True))
    return found | {"checkpointing": kept(texts) / whole}


if __name__ == "__main__":
    main()
