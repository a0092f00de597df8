"""``python -m experiments.ocr_ner``: synthetic clinical pages, scanned, read by OCR, tagged with and without layout.

Rows ``ocr/noise N``: character error rate of RapidOCR's bundled models, and how many entities were read intact; a seed
is a handful of test pages; ``, no stamp`` are the same scans without it (``--reading`` measures these rows alone).
Rows ``ner/...``: the arms of lesson 18, trained on the printed text of the same pages by the same loop with as many
updates, tested on printed test pages, on those of another form, on what the OCR read. A seed is that of the pages, of
the head and of the batches; the options are those of the model of entities in ``relation_extraction``, with smaller
batches, and nothing was chosen on these pages. Half an hour of one core.
"""

import argparse
import random
import time
from functools import lru_cache, partial

from hanlp_tutor import TrainConfig
from hanlp_tutor.data.examples import fingerprint
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.manifest import LIBRARIES, manifest, versions
from hanlp_tutor.scans.aligning import error_rate, land
from hanlp_tutor.scans.lines import placed
from hanlp_tutor.scans.noise import scanned
from hanlp_tutor.scans.pages import drawn, pages
from hanlp_tutor.scans.reading import read_scan
from hanlp_tutor.teach.lessons.l18.arms import (
    LAYOUT,
    RECORDS,
    RENAMED,
    TEXT,
    f1_by_part,
    on_scans,
    printed,
    renamed,
    trained,
)
from hanlp_tutor.teach.results import Experiment

ENCODER, SEEDS, CONTROLS = "mini-bert", (1, 2, 3, 4, 5), (1, 2, 3)
POOL, PAGES, TESTED = 600, 120, 100
NOISES, OCR_SEEDS, READ = (1, 2, 2.5, 3), (1, 2, 3), 4  # pages a seed of the OCR
UNSTAMPED = (1, 2)  # noises
OPTIONS = {"epochs": 5, "batch_size": 8, "lr": 1e-3, "head_lr": 1e-2, "crf": True}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--reading", action="store_true", help="only the rows of the OCR")
    arguments = parser.parse_args()
    settings = {"synthetic": True, "options": OPTIONS, "pages": PAGES, "tested": TESTED, "noises": NOISES, "read": READ}
    libraries = versions([*LIBRARIES, "rapidocr", "onnxruntime", "pillow", "rapidfuzz"])
    measured_by = {**manifest(describe_device(choose_device())), "versions": libraries}
    experiment = Experiment("ocr_ner", settings, measured_by)
    data = {"data": page_hashes()}
    measure_reading(experiment, data)
    if arguments.reading:
        return
    depends_on = {**data, **weights_of(ENCODER)}
    for arms, seeds in (((TEXT, LAYOUT), SEEDS), ((RENAMED, RECORDS), CONTROLS)):
        for seed in seeds:  # seed by seed, so that a file cut short compares what it has
            for arm in arms:
                experiment.measure(f"ner/{arm}", [seed], lambda seed, arm=arm: _arm(arm, seed), depends_on=depends_on)


def measure_reading(experiment: Experiment, data: dict) -> None:
    """The rows of the OCR."""
    compared = {**data, "compared in": "NFKC"}
    for noise, stamp in [*((noise, True) for noise in NOISES), *((noise, False) for noise in UNSTAMPED)]:
        run, name = partial(_read, noise, stamp), f"ocr/noise {noise}{'' if stamp else ', no stamp'}"
        experiment.measure(name, OCR_SEEDS, lambda seed, run=run: run(seed), depends_on=compared)


def page_hashes() -> dict[str, str]:
    """Of the printed pages to train and to test on: their text, tags and places."""
    return {"pages": fingerprint(_printed("train")), "test": fingerprint(_printed("test"))}


@lru_cache(maxsize=4)
def _pages(subset: str, form: str = "usual"):
    return pages(subset, POOL if subset == "train" else TESTED, form=form)


@lru_cache(maxsize=4)
def _printed(subset: str, form: str = "usual"):
    return printed(_pages(subset, form))


@lru_cache(maxsize=128)
def _one_read(number: int, noise: float, stamp: bool = True):
    """A test page as it was printed, and as the OCR read it."""
    page = _pages("test")[number]
    scan = scanned(drawn(page), noise, number, stamp=stamp)
    return _printed("test")[number], placed(read_scan(scan).lines, page.size)


def _some_read(noise: float, seeds=OCR_SEEDS, stamp: bool = True):
    return [_one_read(number, noise, stamp) for seed in seeds for number in range(READ * (seed - 1), READ * seed)]


def _read(noise: float, stamp: bool, seed: int) -> dict[str, float]:
    begun = time.perf_counter()
    both = _some_read(noise, (seed,), stamp)
    seconds = (time.perf_counter() - begun) / len(both)
    landed = [each for gold, read in both for each in land(gold.spans, gold.text, read.text)]
    printed_text, read_text = ("\n".join(some[i].text for some in both) for i in (0, 1))
    return {
        "cer": error_rate(printed_text, read_text),
        "intact": sum(each.intact for each in landed) / len(landed),
        "entities": len(landed),
        "seconds_a_page": round(seconds, 2),
    }


def _arm(arm: str, seed: int) -> dict[str, float]:
    chosen = random.Random(seed).sample(range(len(_pages("train"))), PAGES)
    train = [_printed("train")[i] for i in chosen]
    if arm == RENAMED:
        train = renamed(train, seed)
    if arm == RECORDS:
        train = [_record(_pages("train")[i]) for i in chosen]
    config = TrainConfig(seed=seed, patience=None, checkpoint_steps=10**6, **OPTIONS)
    begun = time.perf_counter()
    model = trained(arm, train, ENCODER, config)
    seconds = time.perf_counter() - begun
    there = (lambda some: renamed(some, seed)) if arm == RENAMED else list
    scores = {f"f1_{part}": score for part, score in f1_by_part(model, there(_printed("test"))).items()}
    scores |= {f"other_{part}": s for part, s in f1_by_part(model, there(_printed("test", "other"))).items()}
    for noise in NOISES:
        gold, read = zip(*_some_read(noise), strict=True)
        scores |= {f"ocr{noise}_{name}": value for name, value in on_scans(model, gold, there(read)).items()}
    return {**scores, "seconds": round(seconds, 1)}


def _record(page):
    """The running text of a page alone."""
    some = [line for line in page.lines if line.part == "text"]
    return placed(some, page.size, page.source)


if __name__ == "__main__":
    main()
