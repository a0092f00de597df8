"""The tagger with layout: at first the same model, then one that learns from places."""

import pytest
import torch

from hanlp_tutor import TrainConfig, build_model, evaluate_model, fine_tune, save_model
from hanlp_tutor.core import inference
from hanlp_tutor.data.examples import fingerprint
from hanlp_tutor.errors import ModelError
from hanlp_tutor.scans.layout import found_on, layout_model
from hanlp_tutor.scans.lines import PlacedText

LABELS = ("O", "B-drug", "I-drug", "B-test", "I-test")
CONFIG = TrainConfig(epochs=4, batch_size=8, lr=1e-3, head_lr=1e-2, crf=False, patience=None)


def cell(number: int) -> PlacedText:
    """A text that says nothing of its label: only its place does."""
    label, x = (("drug", 5), ("test", 20))[number % 2]
    return PlacedText("某甲", (f"B-{label}", f"I-{label}"), x=(x, x), y=(1 + number % 9,) * 2)


def test_before_training_it_computes_what_the_plain_model_does_windows_included():
    model, plain = layout_model("mini-bert", LABELS, CONFIG).eval(), build_model("ner", "mini-bert", LABELS, CONFIG)
    plain.eval()
    assert all(torch.equal(a, b) for a, b in zip(model.head.parameters(), plain.head.parameters(), strict=True))
    long = PlacedText("某" * 700, ("O",) * 700, x=(3,) * 700, y=(4,) * 700)
    batch = model.collate([model.encode(long), model.encode(cell(0))])
    assert batch.x.shape == batch.input_ids.shape and batch.x[0, 1] == 3 and batch.x[0, 0] == 0
    assert torch.equal(model(batch), plain(batch))


def test_of_a_very_long_page_some_windows_are_computed_at_a_time(monkeypatch):
    model = layout_model("mini-bert", LABELS, CONFIG).eval()
    torch.nn.init.normal_(model.x_embedding.weight)
    long = PlacedText("某" * 1500, ("O",) * 1500, x=tuple(1 + i % 32 for i in range(1500)), y=(4,) * 1500)
    whole = found_on(model, [long])
    monkeypatch.setattr(inference, "BATCH_TOKENS", 1024)
    assert found_on(model, [long]) == whole


def test_it_learns_from_places_what_text_alone_cannot_know(tmp_path):
    """All texts are equal, so that without places half of the labels would be wrong."""
    train, test = [cell(i) for i in range(48)], [cell(i) for i in range(48, 56)]
    model = layout_model("mini-bert", LABELS, CONFIG)
    fine_tune(model, train, [], CONFIG, tmp_path, progress="none")
    assert evaluate_model(model, test)["f1"] == 1


def test_places_are_part_of_an_examples_identity():
    one, two = cell(0), cell(2)
    assert one.text == two.text and one.tags == two.tags
    assert fingerprint([one]) != fingerprint([two])


def test_it_refuses_to_be_saved_as_a_model_that_could_not_be_opened(tmp_path):
    with pytest.raises(ModelError, match="layout embeddings"):
        save_model(layout_model("mini-bert", LABELS, CONFIG), tmp_path / "model")
