"""``python -m experiments.fast_mode``: F1 of the fast mode beside that of the padded reference, on the People's Daily.

Fast is what ``fine_tune`` does: batches of sentences of like length, drawn anew each epoch, and no mask where none of a
batch is padded. The reference reads the same sentences in random order, padded to the longest of their batch, always
under a mask. Between them stands the fast mode with ``loss_mean="corpus"``, in which an update of short sentences,
whose tokens are few, does not count as much as one of long ones. Each seed draws its own training sentences; within a
seed all start from the same weights and make as many updates with batches as large, under the options that the kit
chooses for this encoder. No dev set is read and the last weights are scored, on the test set, once a run; that the
sentences are short and the passes few is for the sake of time, twenty minutes on one core. What has been measured under
the same settings is not measured again.
"""

import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest import mock

from hanlp_tutor import TrainConfig, build_model, evaluate_model, fine_tune, load_corpus
from hanlp_tutor.core import run as books
from hanlp_tutor.core.batching import Batch, Encodings
from hanlp_tutor.core.mixing import epoch_batches
from hanlp_tutor.core.run import Run
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import fingerprint
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.encoders import weights_of
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.results import Experiment, Measured, paired, spread

CORPUS, ENCODER, SENTENCES, LONGEST, EPOCHS, SEEDS = "peoples_daily", "mini-bert", 1000, 100, 5, (1, 2, 3)
FAST, CORPUS_MEAN, PADDED = "fast", "corpus mean", "padded"  # the rows
TITLES = {
    FAST: "by length, as the kit does",
    CORPUS_MEAN: "by length, `loss_mean=corpus`",
    PADDED: "at random, padded",
}


def in_random_order(encoded: Encodings, config: TrainConfig, epoch: int) -> Sequence[list[int]]:
    """Batches as many and as large as ``fine_tune`` would make, of whichever examples come."""
    order = list(range(len(encoded)))
    random.Random(f"random-{config.seed}-{epoch}").shuffle(order)
    rest = iter(order)
    return [[next(rest) for _ in batch] for batch in epoch_batches(encoded, config, epoch)]


def main() -> None:
    corpus = load_corpus(CORPUS)
    pool, test = ([e for e in of if len(e.text) <= LONGEST] for of in (corpus.train, corpus.test))
    labels = label_set("ner", corpus.train)
    settings = {
        "corpus": CORPUS,
        "encoder": ENCODER,
        "data": {"drawn from": fingerprint(pool), "test": fingerprint(test)},
        "sentences": SENTENCES,
        "longest": LONGEST,
        "epochs": EPOCHS,
    }
    experiment = Experiment("fast_mode", settings, manifest(describe_device(choose_device())))

    def run(seed: int, batches: str) -> dict[str, float]:
        train = random.Random(seed).sample(pool, SENTENCES)
        updates = EPOCHS * SENTENCES  # more than there are: one evaluation and one checkpoint, at the end
        config = TrainConfig(epochs=EPOCHS, seed=seed, eval_steps=updates, checkpoint_steps=updates)
        config = config.replace(loss_mean="corpus") if batches == CORPUS_MEAN else config
        model = build_model("ner", ENCODER, labels, config)
        collate, computed = model.collate, [0, 0]

        def watched(*args, **kwargs) -> Batch:
            batch = collate(*args, **kwargs)
            if model.training:  # else it is the evaluation at the end
                computed[0] += batch.input_ids.numel()
                computed[1] += int(batch.attention_mask.sum())
            return replace(batch, padded=True) if batches == PADDED else batch

        def begin(_: Run) -> None:
            model.collate = watched  # a method of this one model

        sampler = in_random_order if batches == PADDED else epoch_batches
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(books, "epoch_batches", sampler):
            result = fine_tune(model, train, [], config, folder, progress="none", on_start=begin)
        del model.collate
        found = evaluate_model(model, test)
        scores = {name: found[name] for name in ("precision", "recall", "f1")}
        padding = 1 - computed[1] / computed[0]
        return {**scores, "updates": result.steps, "padding": padding, "seconds": round(result.seconds, 1)}

    for seed in SEEDS:  # seed by seed, so that an interrupted run leaves pairs
        for row in TITLES:
            experiment.measure(row, (seed,), lambda seed, row=row: run(seed, row), depends_on=weights_of(ENCODER))


def said(folder: Path | None = None) -> str:
    """What came of it, as a table and a sentence; how to measure it, where nobody has."""
    measured = Measured("fast_mode", folder)
    rows, settings = measured.rows, measured.settings
    compared = paired(rows[FAST], rows[PADDED], "f1") if {FAST, PADDED} <= rows.keys() else None
    if compared is None:
        return f"Not measured yet: `{measured.command}`."
    lines = ["| | test F1 | updates | padding |", "|---|---|---|---|"]
    for row, title in TITLES.items():
        if row not in rows:
            continue
        f1, padding = (spread(rows[row], measure) for measure in ("f1", "padding"))
        lines.append(f"| {title} | {f1} | {rows[row]['median']['updates']:.0f} | {padding} % |")
    pairs = [(FAST, PADDED), (CORPUS_MEAN, PADDED), (CORPUS_MEAN, FAST)]
    sentences = [_against(rows, one, other) for one, other in pairs if {one, other} <= rows.keys()]
    runs = [each for row in rows.values() for each in row["measured"].values()]
    source = (
        f"{settings['encoder']}, People's Daily, {settings['sentences']:,} training sentences of at most "
        f"{settings['longest']} characters, {settings['epochs']} passes, {measured.counted()}, each with its own "
        f"sentences; median, spread in brackets. Measured by `{measured.command}` on "
        f"{' and '.join(sorted({each['device'] for each in runs}))}, {max(each['date'] for each in runs)[:10]}."
    )
    return "\n".join([*lines, "", *(f"- {each}" for each in sentences), "", source])


def _against(rows: dict, one: str, other: str) -> str:
    """The difference of two rows over the seeds, with what its interval says."""
    compared = paired(rows[one], rows[other], "f1")
    low, difference, high = (f"{100 * each:+.1f}" for each in (compared.low, compared.difference, compared.high))
    first, second = rows[one]["seeds"], rows[other]["seeds"]
    lower = sum(first[seed]["f1"] < second[seed]["f1"] for seed in first.keys() & second)
    verdict = "outside what the seeds do" if compared.excludes_zero else "within the seeds, as 0 lies in it"
    if not compared.excludes_zero and compared.low < 0:
        verdict += f"; a loss of up to {-100 * compared.low:.1f} is not ruled out"
    return (
        f"{TITLES[one]}, less {TITLES[other]}: {difference} points of F1, lower with {lower} of {len(first)} seeds; "
        f"95 % interval over the seeds from {low} to {high}: {verdict}."
    )


if __name__ == "__main__":
    main()
