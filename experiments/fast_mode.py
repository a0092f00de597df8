"""``python -m experiments.fast_mode``: F1 of the fast mode beside that of the padded reference, on the People's Daily.

Fast is what ``fine_tune`` does: batches of sentences of like length, drawn anew each epoch, and no mask where none of a
batch is padded. The reference reads the same sentences in random order, padded to the longest of their batch, always
under a mask. Each seed draws its own training sentences; within a seed both start from the same weights and make as
many updates with batches as large, under the options that the kit chooses for this encoder. No dev set is read and the
last weights are scored, on the test set, once a run; that the sentences are short and the passes few is for the sake of
time, a quarter of an hour on one core. What has been measured under the same settings is not measured again.
"""

import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
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
from hanlp_tutor.teach.results import Experiment

CORPUS, ENCODER, SENTENCES, LONGEST, EPOCHS, SEEDS = "peoples_daily", "mini-bert", 1000, 100, 5, (1, 2, 3)
FAST, PADDED = "fast", "padded"  # the rows


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
        model = build_model("ner", ENCODER, labels, config)
        collate, computed = model.collate, [0, 0]

        def watched(*args, **kwargs) -> Batch:
            batch = collate(*args, **kwargs)
            if model.training:  # else it is the evaluation at the end
                computed[0] += batch.input_ids.numel()
                computed[1] += int(batch.attention_mask.sum())
            return batch if batches == FAST else replace(batch, padded=True)

        def begin(_: Run) -> None:
            model.collate = watched  # a method of this one model

        sampler = epoch_batches if batches == FAST else in_random_order
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(books, "epoch_batches", sampler):
            result = fine_tune(model, train, [], config, folder, progress="none", on_start=begin)
        del model.collate
        found = evaluate_model(model, test)
        scores = {name: found[name] for name in ("precision", "recall", "f1")}
        padding = 1 - computed[1] / computed[0]
        return {**scores, "updates": result.steps, "padding": padding, "seconds": round(result.seconds, 1)}

    for seed in SEEDS:  # seed by seed, so that an interrupted run leaves pairs
        for row in (FAST, PADDED):
            experiment.measure(row, (seed,), lambda seed, row=row: run(seed, row), depends_on=weights_of(ENCODER))


if __name__ == "__main__":
    main()
