"""What lesson 18 compares: one model, one loop, as many updates; only what it knows of the page differs."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model import Model
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.corpora.clinic import ENTITIES
from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.scans.aligning import land, split_errors
from hanlp_tutor.scans.layout import found_on, layout_model
from hanlp_tutor.scans.lines import BUCKETS, PlacedText, placed
from hanlp_tutor.scans.pages import Page
from hanlp_tutor.workbench.significance import f1_of, span_counts

LABELS = ("O", *(f"{edge}-{label}" for label in ENTITIES for edge in "BI"))
TEXT, LAYOUT, RENAMED, RECORDS = "text alone", "text and layout", "places renamed", "records, no pages"


def printed(pages: Sequence[Page]) -> list[PlacedText]:
    """The pages as perfect OCR would read them, with gold tags."""
    return [placed(page.lines, page.size, page.source) for page in pages]


def renamed(pages: Sequence[PlacedText], seed: int) -> list[PlacedText]:
    """The control: on each page the places are exchanged for others, so what stands together still does, elsewhere."""
    draw, changed = random.Random(seed), []
    for page in pages:
        x, y = (draw.sample(range(1, BUCKETS + 1), BUCKETS) for _ in "xy")
        changed.append(replace(page, x=tuple(x[i - 1] for i in page.x), y=tuple(y[i - 1] for i in page.y)))
    return changed


def trained(arm: str, examples: Sequence[TaggedText], encoder: str, config: TrainConfig) -> Model:
    """A tagger of this arm; all arms begin with equal weights, and see equal texts in equal batches."""
    plain = arm in (TEXT, RECORDS)
    model = build_model("ner", encoder, LABELS, config) if plain else layout_model(encoder, LABELS, config)
    with tempfile.TemporaryDirectory() as folder:
        fine_tune(model, examples, [], config, folder, progress="none")
    return model


def f1_by_part(model: Model, pages: Sequence[PlacedText]) -> dict[str, float]:
    """F1 of exact spans on printed pages: of all, and of the entities of each part of the page."""
    return {part: f1_of(counts) for part, counts in counts_by_part(model, pages).items()}


def counts_by_part(model: Model, pages: Sequence[PlacedText]) -> dict[str, np.ndarray]:
    """Right, found and wanted entities of each page, (n, 3), as ``workbench.significance`` compares them."""
    gold, found = [page.spans for page in pages], found_on(model, pages)
    counts = {"all": span_counts(gold, found)}
    for part in ("header", "text", "table"):
        some = [[_of_part(spans, page, part) for spans, page in zip(of, pages, strict=True)] for of in (gold, found)]
        counts[part] = span_counts(*some)
    return counts


def on_scans(model: Model, gold: Sequence[PlacedText], read: Sequence[PlacedText]) -> dict[str, float]:
    """How the gold entities of scans end: F1, shares of the gold ones misread and missed, of the found ones invented.

    Args:
        model: one of the arms.
        gold: the pages as printed.
        read: the same pages as the OCR read them.
    """
    found = found_on(model, read)
    pages = zip(gold, read, found, strict=True)
    counts = [split_errors(land(page.spans, page.text, here.text), some) for page, here, some in pages]
    right, misread, missed, invented = (sum(each[of] for each in counts) for of in counts[0])
    every, said = right + misread + missed, sum(map(len, found))
    return {
        "f1": 2 * right / max(every + said, 1),
        "misread": misread / max(every, 1),
        "missed": missed / max(every, 1),
        "invented": invented / max(said, 1),
    }


def _of_part(spans: Sequence[Span], page: PlacedText, part: str) -> list[Span]:
    return [span for span in spans if page.parts[span.start] == part]
