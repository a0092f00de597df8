"""The loop waits for the device where a row of the history is made, and nowhere else."""

from contextlib import nullcontext

import pytest
import torch
import torch.nn.functional as F
from host_reads import HostReads
from small_runs import PLAIN, make
from toy import labelled, tagged

from hanlp_tutor.core import precision
from hanlp_tutor.core import train as loop
from hanlp_tutor.core.precision import Precision
from hanlp_tutor.core.run import Run
from hanlp_tutor.data.words import TaggedWords
from hanlp_tutor.encoders import packed

UPDATES = 10


def worded(count):
    """Sentences to be segmented, and as many whose words of one and two characters are tagged."""
    found = []
    for number, example in enumerate(tagged(count)):
        words = [example.text[i : i + 2 - i % 3 % 2] for i in range(0, len(example.text), 2)]
        task = ("tok", "ner")[number % 2]
        tags = tuple("B-PER" if k % 4 == 0 else "O" for k in range(len(words)))
        found.append(TaggedWords(task, tuple(words), () if task == "tok" else tags, example.source))
    return found


def text_by_text(q, k, v, bounds, *_, scale):
    """In the place of ``varlen_attn``, one call that reads nothing."""
    text = torch.bucketize(torch.arange(len(q)), bounds, right=True)
    given = (x.transpose(0, 1) for x in (q, k, v))
    return F.scaled_dot_product_attention(*given, attn_mask=text[:, None] == text, scale=scale).transpose(0, 1)


@pytest.fixture
def reads_of(tiny_encoder, tmp_path, monkeypatch):
    """The reads of ten updates, and how often a row was made; making rows, evaluating and saving are left out."""

    def run(task, examples, **options):
        reads, rows = HostReads(), []

        def unwatched(owner, name):
            real = getattr(owner, name)

            def call(*args, **kwargs):
                reads.paused = True
                try:
                    return real(*args, **kwargs)
                finally:
                    reads.paused = False

            monkeypatch.setattr(owner, name, call)

        for owner, name in [(Run, "_row"), (Run, "close"), (loop, "save_checkpoint"), (loop, "evaluate_model")]:
            unwatched(owner, name)
        config = PLAIN.replace(batch_size=4, gradient_accumulation_steps=2, log_steps=5, max_grad_norm=1.0, **options)
        model = make(task, examples, tiny_encoder, config)
        reads.paused = True  # until the first update: what is set up may read

        def begin(run):
            reads.paused = False
            rows.append(run)

        with reads:
            loop.fine_tune(model, examples, [], config, tmp_path / "run", on_start=begin)
        assert rows[0].state.step == UPDATES and len(rows[0].state.rows) == 2
        return reads.found

    return run


def test_what_counts_as_a_read():
    tensor, mask = torch.arange(4.0), torch.tensor([True, False, True, True])
    for read in (
        lambda: tensor[0].item(),
        lambda: float(tensor[1]),
        lambda: bool(mask.all()),
        lambda: tensor.tolist(),
        lambda: tensor.cpu(),
        lambda: tensor.numpy(),
        lambda: tensor[mask],
        lambda: mask.nonzero(),
        lambda: torch.masked_select(tensor, mask),
        lambda: [1, 2, 3][torch.tensor(1)],
        lambda: torch.where(mask),
        lambda: mask.unique(),
    ):
        with HostReads() as reads:
            read()
        assert reads.found
    with HostReads() as reads:
        torch.where(mask, tensor, 0.0).sum() / 2 + tensor[torch.tensor([1, 2])].max()
    assert not reads.found


@pytest.mark.parametrize(
    ("task", "examples", "options"),
    [
        ("ner", tagged(80), {}),
        ("ner", tagged(80, shortest=9, longest=9), {}),  # no padding, so no mask
        ("ner", tagged(80, longest=60), {"max_length": 16}),
        ("ner", tagged(80), {"crf": True}),
        ("ner", tagged(80), {"l2": 0.1, "l2_on": "distance", "optimizer": "adamw", "schedule": "linear"}),
        ("ner", tagged(80), {"class_weights": "balanced", "dropout": 0.1}),
        ("ner", tagged(80), {"gradient_checkpointing": True}),
        ("ner", tagged(80), {"bf16": True, "allow_slow_precision": True}),
        ("classify", labelled(80), {}),
        ("classify", labelled(80, longest=60), {"max_length": 16}),
        ("multitask", worded(80), {}),
        ("multitask", worded(80), {"crf": True}),
    ],
    ids=lambda given: given if isinstance(given, str) else "-".join(given) if isinstance(given, dict) else "",
)
def test_an_update_reads_nothing(reads_of, task, examples, options):
    assert reads_of(task, examples, **options) == []


def test_in_fp16_an_update_reads_once_whether_it_was_skipped(reads_of):
    found = reads_of("ner", tagged(80), fp16=True, allow_slow_precision=True)
    assert len(found) <= UPDATES


@pytest.mark.parametrize("longest", [40, 60])
def test_without_padding_an_update_reads_nothing_either(reads_of, monkeypatch, longest):
    pack, half = precision.pack_encoder, Precision(torch.device("cuda"), torch.bfloat16)
    monkeypatch.setattr(packed, "_kernel", lambda: text_by_text)
    monkeypatch.setattr(precision, "pack_encoder", lambda model, on, _: pack(model, on, half))
    monkeypatch.setattr(Precision, "autocast", lambda self: nullcontext())
    assert reads_of("ner", tagged(80, longest=longest), max_length=40, varlen=True) == []
