"""``python -m experiments.tuning_reviews``: five minutes of ``tune`` on the reviews against the kit's default options.

Short reviews, read as they come in the corpus, and nothing given that the kit would choose itself; twice:

- ``100 labels``: with the default passes (20 at most, patience 5);
- ``800 labels, two passes``: when time is short, the passes are what one saves.

Both sides make as many passes at most. ``search`` is one call of ``tune``, with its defaults, that begins no trial
after five minutes of the wall clock; it searches a decade to each side of the default learning rates. How far it comes
depends on the machine and on what else that does: ``trials`` and ``seconds`` say so. Its winner and the default options
then train anew with seeds that the search has not seen (``tuned``, ``default``), because the best of many dev scores is
partly luck; each of these runs reads the test set once, at its end. Seeds 16 to 20 were added once, after the first
five had been seen, because the intervals were wider than the differences; there are no others. About 35 minutes on one
core that is not shared.
"""

import argparse
import tempfile
import time
from functools import cached_property
from pathlib import Path

from experiments.encoders import data_of
from hanlp_tutor import TrainConfig, build_model, evaluate_model, fine_tune, load_corpus, tune
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import Split
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.encoders.mini import DEFAULT_ENCODER
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.results import Experiment, Measured, paired, spread

NAME, CORPUS, ENCODER, LONGEST, DEV = "tuning_reviews", "reviews", DEFAULT_ENCODER, 48, 300
MINUTES, AT_MOST, SEARCH_SEED, FRESH = 5, 1000, 1, tuple(range(11, 21))
SPACE = {"lr": "3e-5..3e-3:log", "head_lr": "1e-4..1e-2:log", "batch_size": "8,16,32", "dropout": "0..0.3"}
# by name the training reviews and the options that are given, to both sides
STUDIES = {"100 labels": (100, {}), "800 labels, two passes": (800, {"epochs": 2})}
SIDES = ("default", "tuned")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", help="measure only studies whose name begins so, such as 100")
    parser.add_argument("--keep", type=Path, help="a folder for the runs of both sides, to compare")
    arguments = parser.parse_args()
    settings = {"corpus": CORPUS, "encoder": ENCODER, "longest": LONGEST, "dev": DEV, "minutes": MINUTES,
                "space": SPACE, "studies": STUDIES}  # fmt: skip
    experiment = Experiment(NAME, settings, manifest(describe_device(choose_device())))
    for name in STUDIES:
        if name.startswith(arguments.only):
            Study(experiment, name, arguments.keep).measure()


class Study:
    """The rows of one training set."""

    def __init__(self, experiment: Experiment, name: str, keep: Path | None = None):
        self.experiment, self.name, self.keep = experiment, name, keep
        self.size, self.given = STUDIES[name]

    @cached_property
    def corpus(self):
        """The whole corpus."""
        return load_corpus(CORPUS)

    @cached_property
    def split(self) -> Split:
        """Its first short reviews; of those of the test set all."""
        train, dev, test = (
            [review for review in part if len(review.text) <= LONGEST]
            for part in (self.corpus.train, self.corpus.dev, self.corpus.test)
        )
        return Split(train[: self.size], dev[:DEV], test)

    def measure(self) -> None:
        """Search, then both sides with each fresh seed, so that an interrupted session leaves pairs."""
        depends_on = {"data": data_of(self.corpus), **weights_of(ENCODER)}
        row = f"{self.name}/search"
        self.experiment.measure(row, (SEARCH_SEED,), self._search, depends_on=depends_on)
        found = self.experiment.content["rows"][row]["seeds"][str(SEARCH_SEED)]
        options = {"default": {}, "tuned": {option: found[option] for option in SPACE}}
        for seed in FRESH:
            for side in SIDES:
                self.experiment.measure(
                    f"{self.name}/{side}",
                    (seed,),
                    lambda seed, side=side: self._run(seed, side, options[side]),
                    depends_on={**depends_on, "options": options[side]},
                )

    def _search(self, seed: int) -> dict[str, float]:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            search = tune("classify", self.split, ENCODER, TrainConfig(**self.given, seed=seed), SPACE, AT_MOST, folder,
                          minutes=MINUTES, progress="lines")  # fmt: skip
        best = search.trials[search.best_trial]
        states = [row["state"] for row in search.trials]
        return {
            "dev": search.best_dev,
            "trials": len(states),
            "pruned": states.count("pruned"),
            "best trial": best["trial"] + 1,
            "seconds": round(time.perf_counter() - began, 1),
            **best["options"],
        }

    def _run(self, seed: int, side: str, options: dict) -> dict[str, float]:
        config = TrainConfig(**self.given, **options, seed=seed)
        model = build_model("classify", ENCODER, label_set("classify", self.split.train), config)
        with tempfile.TemporaryDirectory() as folder:
            out = self.keep / self.name / f"{side}-{seed}" if self.keep else folder
            result = fine_tune(model, self.split.train, self.split.dev, config, out, progress="none")
        test = evaluate_model(model, self.split.test)
        looks = sum(row.get("dev_score") is not None for row in result.history)  # one a pass
        return {"dev": result.best_dev, "test": test["macro_f1"], "test accuracy": test["accuracy"], "passes": looks,
                "seconds": round(result.seconds, 1)}  # fmt: skip


def table(folder: Path | None = None) -> str:
    """The result file in Markdown: both sides, the paired difference, what the search did."""
    measured = Measured(NAME, folder)
    if not measured.rows:
        return f"Not measured yet: `{measured.command}`."
    lines = ["| | options | dev | test | passes made |", "|---|---|---|---|---|"]
    searches = []
    for study in dict.fromkeys(name.partition("/")[0] for name in measured.rows):
        rows = measured.under(f"{study}/").rows
        search = next(iter(rows["search"]["seeds"].values())) if "search" in rows else {}
        for side in SIDES:
            if side in rows:
                given = rows[side]["depends_on"]["options"]
                options = ", ".join(f"{option} {value:.3g}" for option, value in given.items())
                cells = [spread(rows[side], "dev"), spread(rows[side], "test")]
                passes = spread(rows[side], "passes", scale=1, form=".0f")
                lines.append(f"| {study}: {side} | {options} | {' | '.join(cells)} | {passes} |")
        if all(side in rows for side in SIDES):
            cells = [_difference(rows, measure) for measure in ("dev", "test")]
            lines.append(f"| {study}: difference | | {' | '.join(cells)} | |")
        searches.append(
            f"{study}: {search['trials']} trials ({search['pruned']} pruned) in {search['seconds']:.0f} seconds, the "
            f"best, {100 * search['dev']:.1f} on dev, was trial {search['best trial']}"
        )
    settings = measured.settings
    about = (
        f"Reviews of at most {settings['longest']} characters, {settings['encoder']}, {settings['dev']} of dev; macro "
        f"F1 in points: median, least and greatest of {len(FRESH)} fresh seeds, the last five of which were added "
        "once, after the others were seen; differences: mean with its 95 % interval, by seed. Searches (one each, "
        f"{settings['minutes']} minutes): {'; '.join(searches)}. Measured by `{measured.command}`."
    )
    return "\n".join([*lines, "", about])


def _difference(rows: dict, measure: str) -> str:
    """Tuned less default, in points, with the interval."""
    found = paired(rows["tuned"], rows["default"], measure)
    if found is None:
        return ""
    return f"{100 * found.difference:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"


if __name__ == "__main__":
    main()
