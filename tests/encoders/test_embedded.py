"""The encoders that the kit carries: what their cards say is so, and transformers opens what we write."""

import hashlib
import json
from dataclasses import replace
from importlib.resources import files

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoTokenizer

from hanlp_tutor.core.precision import Precision
from hanlp_tutor.corpora import load_corpus, reviews
from hanlp_tutor.data.characters import TextEncoder
from hanlp_tutor.encoders import load_encoder, suggested_lr
from hanlp_tutor.encoders.embedded import load_masked_lm, read_card, read_masked_lm, render_card, save_masked_lm
from hanlp_tutor.encoders.mini import COMPARED, DEFAULT_ENCODER, EMBEDDED, EXTENDED, SPECIAL, mini_tokenizer, vocabulary
from hanlp_tutor.errors import EncoderError
from hanlp_tutor.pretraining import text as pretraining_text
from hanlp_tutor.pretraining.held_out import evaluate_masked, held_out_batches
from hanlp_tutor.pretraining.masking import Masker
from hanlp_tutor.pretraining.text import held_out_lines, read_text, training_lines

FOLDER = files("hanlp_tutor.encoders").joinpath("weights")
BY_MASKS = [name for name in EMBEDDED if name != "mini-macbert"]  # its own masks need its similar words


@pytest.mark.parametrize("name", EMBEDDED)
def test_the_file_is_the_cards_and_small(name):
    content = FOLDER.joinpath(name, "model.safetensors").read_bytes()
    card = read_card(name)
    assert hashlib.sha256(content).hexdigest() == card["sha256"]
    assert len(content) <= 10_000_000
    assert card["name"] == name and card["recipe"] == name.removeprefix("mini-").removesuffix("-ext")
    assert FOLDER.joinpath(name, "README.md").read_text(encoding="utf-8") == render_card(card)
    assert {tensor.dtype for tensor in load_file(str(FOLDER.joinpath(name, "model.safetensors"))).values()} == {
        torch.float16
    }


def test_one_of_them_is_what_a_user_gets_by_default():
    """The command line names it without importing what knows it: it starts without torch."""
    from hanlp_tutor.cli import app

    option = next(option for option in app.commands["train"].params if option.name == "encoder")
    assert option.default == DEFAULT_ENCODER and DEFAULT_ENCODER in EMBEDDED
    assert {suggested_lr(name) for name in EMBEDDED} == {3e-4}


def test_the_three_are_comparable():
    """Same shape, same text, same number of tokens in each stage, same seed; only the recipe differs."""
    cards = [read_card(name) for name in COMPARED]
    for key in ("layers", "hidden_size", "vocabulary", "parameters", "tokens", "text"):
        assert cards[0][key] == cards[1][key] == cards[2][key], key
    for stages in zip(*(card["stages"] for card in cards), strict=True):
        for key in ("tokens", "lr", "text"):
            assert len({stage[key] for stage in stages}) == 1, key
        options = [{k: v for k, v in stage["config"].items() if k != "recipe"} for stage in stages]
        assert options[0] == options[1] == options[2]


def test_the_extended_one_went_on_from_its_namesake_with_more_text():
    before, after = read_card(EXTENDED.removesuffix("-ext")), read_card(EXTENDED)
    assert after["stages"][:-1] == before["stages"] and after["tokens"] > before["tokens"]
    assert after["stages"][-1]["recipe"] == before["recipe"]
    read = {source["source"]: source["characters"] for source in after["text"]}
    assert all(read[source["source"]] >= source["characters"] for source in before["text"])
    assert sum(read.values()) > sum(source["characters"] for source in before["text"])


@pytest.mark.parametrize("name", EMBEDDED)
def test_an_embedded_encoder_is_its_file_in_float32(name):
    encoder = load_encoder(name)
    assert encoder.pretrained and {p.dtype for p in encoder.module.parameters()} == {torch.float32}
    stored = load_file(str(FOLDER.joinpath(name, "model.safetensors")))
    for key, tensor in encoder.module.state_dict().items():
        if not key.startswith("pooler."):
            assert torch.equal(tensor, stored["bert." + key].float()), key


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_MASKS)
def test_it_guesses_as_well_as_its_card_says(name):
    """The card's held-out accuracy, measured again from the stored half-precision weights."""
    last = read_card(name)["stages"][-1]
    masker = Masker(
        last["recipe"], mask_id=SPECIAL.index("[MASK]"), first_id=len(SPECIAL), vocabulary=len(vocabulary())
    )
    text = read_text(TextEncoder(mini_tokenizer()), held_out_lines())
    seed = last["config"]["seed"]
    batches = held_out_batches(text, masker, 2, seed)
    loss, accuracy = evaluate_masked(load_masked_lm(name), batches, Precision(torch.device("cpu"), None))
    assert accuracy == pytest.approx(last["held_out_accuracy"], abs=0.005)
    assert loss == pytest.approx(last["held_out_loss"], abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mini-bert", EXTENDED])  # the three have read the same
def test_the_text_on_the_cards_is_the_one_without_leaks(name, monkeypatch):
    """test_pretraining_text.py shows that this text holds no dev or test sentence; it is the text that was read.

    Of the reviews that was the training set before lines were dropped that belong to a review of dev or test.
    Of the text that is not the kit's the card has a fingerprint too; whoever has the files can compare it.
    """
    card = read_card(name)
    corpora = {"peoples_daily": load_corpus("peoples_daily")}
    corpora["reviews"] = replace(load_corpus("reviews"), train=reviews.earlier_train())
    monkeypatch.setattr(pretraining_text, "load_corpus", corpora.__getitem__)
    text = read_text(TextEncoder(mini_tokenizer()), training_lines())
    assert {stage["text_of_corpora"] for stage in card["stages"] if "text_of_corpora" in stage} == {text.fingerprint()}
    assert "text_of_corpora" in card["stages"][-1]
    assert card["text"][: len(text.sources)] == [dict(source) for source in text.sources]


@pytest.mark.parametrize("name", EMBEDDED)
def test_transformers_opens_the_folder_and_predicts_alike(name):
    folder = str(FOLDER.joinpath(name))
    theirs = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer("中国共产党中央委员会总书[MASK]江泽民", return_tensors="pt")
    with torch.no_grad():
        ours = load_masked_lm(name)(inputs["input_ids"]).logits
        assert torch.allclose(theirs(**inputs).logits, ours, atol=1e-5)


def test_what_is_written_is_read_back_and_never_over_something_else(tmp_path):
    model, card = load_masked_lm("mini-bert"), read_card("mini-bert")
    save_masked_lm(model, card, tmp_path / "encoder")
    again, written = read_masked_lm(tmp_path / "encoder")
    assert written == card
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[key]), key
    assert load_encoder(str(tmp_path / "encoder")).pretrained


def test_what_half_precision_cannot_hold_is_not_written(tmp_path):
    model = load_masked_lm("mini-bert")
    with torch.no_grad():
        model.bert.encoder.layer[0].output.dense.bias[0] = 1e6
    with pytest.raises(EncoderError, match="half precision cannot hold"):
        save_masked_lm(model, read_card("mini-bert"), tmp_path / "encoder")
    assert not (tmp_path / "encoder").exists()


def test_a_damaged_or_foreign_folder_is_reported(tmp_path):
    with pytest.raises(EncoderError, match="no encoder that this kit pre-trained"):
        read_masked_lm(tmp_path)
    save_masked_lm(load_masked_lm("mini-bert"), read_card("mini-bert"), tmp_path / "encoder")
    whole = (tmp_path / "encoder" / "model.safetensors").read_bytes()
    (tmp_path / "encoder" / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EncoderError, match="do not fit"):
        read_masked_lm(tmp_path / "encoder")
    (tmp_path / "encoder" / "card.json").write_text("{", encoding="utf-8")
    with pytest.raises(EncoderError):
        read_masked_lm(tmp_path / "encoder")
    assert json.loads(FOLDER.joinpath("mini-bert", "card.json").read_text(encoding="utf-8"))["name"] == "mini-bert"
    with pytest.raises(EncoderError, match="Did you mean 'mini-macbert'"):
        read_card("mini-macbret")
