"""Encoders by name and folder, and characters to ids on hostile text."""

import json
import shutil
import time
from pathlib import Path

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, BertConfig, BertModel

from hanlp_tutor import TrainConfig, build_model, encoders
from hanlp_tutor.data.characters import TextEncoder
from hanlp_tutor.encoders import load_encoder, suggested_lr
from hanlp_tutor.encoders.mini import mini_tokenizer, vocabulary
from hanlp_tutor.errors import EncoderError

HOSTILE = [
    "",
    " ",
    "\u3000",
    "\t\r\n\x0b\x0c\x00\x1f\x7f\x85\u2028\u2029\ufeff",
    "👨‍👩‍👧‍👦🇨🇳👍🏽",
    "e\u0301a\u0300\u0323",
    "½㍿㈱ﬃ①ＡＢＣ１２３",
    "𠮷𡈽𝒳𓀀",
    "iPhone 15 Pro 2026年11月",
    "[CLS][MASK]##ing [UNK]",
    "\ud83d\ude00 lone: \ud83d",
    "مرحبا שלום ไทย हिन्दी",
    "\u200b\u200d\u2060\u00ad",
]


@pytest.fixture(scope="session")
def bert(tiny_encoder):
    return TextEncoder(AutoTokenizer.from_pretrained(tiny_encoder))


@pytest.fixture(scope="session")
def mini():
    return TextEncoder(mini_tokenizer())


@pytest.fixture
def folder(tiny_encoder, tmp_path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))


# --- characters ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["bert", "mini"])
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_one_id_for_each_character_of_hostile_text(request, which, text):
    encoder = request.getfixturevalue(which)
    ids = encoder.by_character(text)
    assert len(ids) == len(text)
    assert all(type(i) is int and 0 < i < len(encoder.tokenizer) for i in ids), "no padding inside a text"


@given(st.text(st.characters() | st.characters(categories=["Cs"])))
@example("👨‍👩‍👧‍👦")
def test_one_id_for_each_character_of_any_text(bert, mini, text):
    for encoder in (bert, mini):
        ids = encoder.by_character(text)
        assert len(ids) == len(text)
        # a character is read alike wherever it stands, and the cache changes nothing
        assert ids == [i for character in text for i in TextEncoder(encoder.tokenizer).by_character(character)]
        encoder.whole(text)


@pytest.mark.parametrize("which", ["bert", "mini"])
def test_what_is_known_is_read_as_itself(request, which):
    encoder = request.getfixturevalue(which)
    known = "今天北京大学3a。"
    assert encoder.by_character(known) == encoder.tokenizer.convert_tokens_to_ids(list(known))
    assert encoder.by_character("\u3000 \x00") == [encoder.unk_id] * 3
    assert encoder.by_character("A") == encoder.by_character("a")


def test_the_pieces_of_a_real_tokenizer_do_not_shift_the_labels(bert):
    """``playing`` is two pieces to BERT and seven characters to a tagger."""
    assert bert.tokenizer.tokenize("playing") == ["play", "##ing"]
    assert len(bert.by_character("playing今天")) == 9
    assert bert.tokenizer.convert_ids_to_tokens(bert.whole("playing今天")) == ["play", "##ing", "今", "天"]


def test_the_mini_tokenizer_is_the_vocabulary(mini):
    assert len(mini.tokenizer) == len(vocabulary()) == len(set(vocabulary())) > 4000
    assert mini.tokenizer.convert_ids_to_tokens(mini.whole("Ｐhone５今")) == list("phone5今")


def test_long_texts_are_not_cut(bert):
    assert len(bert.by_character("今" * 3000)) == len(bert.whole("今" * 3000)) == 3000


# --- encoders ------------------------------------------------------------------------------------------------------


def test_a_folder_is_loaded_as_it_is(tiny_encoder):
    encoder = load_encoder(tiny_encoder)
    assert encoder.pretrained and encoder.name == tiny_encoder
    stored = load_file(Path(tiny_encoder) / "model.safetensors")
    for name, tensor in encoder.module.state_dict().items():
        if not name.startswith("pooler."):
            assert torch.equal(tensor, stored["bert." + name]), name
    assert encoder.module.get_input_embeddings().weight.dtype == torch.float32
    assert suggested_lr(tiny_encoder) == 3e-4


@pytest.mark.parametrize("name", ["mini-bert", "random:mini-bert", "a folder"])
def test_an_encoder_to_look_at_is_without_dropout_and_one_to_train_is_with_it(name, tiny_encoder):
    name = tiny_encoder if name == "a folder" else name
    assert not any(module.training for module in load_encoder(name).module.modules())
    assert all(module.training for module in build_model("ner", name, ["O", "B-X"], TrainConfig()).modules())


def test_random_has_the_shape_and_other_weights(tiny_encoder):
    pretrained, fresh, again, other = (
        load_encoder(name, seed=seed)
        for name, seed in ((tiny_encoder, 1), *(("random:" + tiny_encoder, seed) for seed in (1, 1, 2)))
    )
    assert not fresh.pretrained and len(fresh.tokenizer) == len(pretrained.tokenizer)
    states = [encoder.module.state_dict() for encoder in (pretrained, fresh, again, other)]
    assert all(state.keys() == states[0].keys() for state in states)
    word = "embeddings.word_embeddings.weight"
    assert all(torch.equal(states[1][name], states[2][name]) for name in states[1])
    assert not torch.equal(states[0][word], states[1][word]) and not torch.equal(states[1][word], states[3][word])
    assert suggested_lr("random:" + tiny_encoder) == 1e-3


def test_random_needs_no_weights(folder):
    (folder / "model.safetensors").unlink()
    assert not load_encoder(f"random:{folder}").pretrained
    with pytest.raises(EncoderError, match="no encoder in this folder"):
        load_encoder(str(folder))


def test_weights_stored_in_half_precision_are_trained_in_float32(folder):
    stored = {name: tensor.half() for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "dtype": "float16"}), encoding="utf-8")
    for name in (str(folder), f"random:{folder}"):
        assert {p.dtype for p in load_encoder(name).module.parameters()} == {torch.float32}


def test_too_few_positions_are_refused_with_the_numbers(tiny_encoder, folder):
    config = BertConfig.from_pretrained(tiny_encoder, max_position_embeddings=128)
    BertModel(config).save_pretrained(folder)
    with pytest.raises(EncoderError, match=r"128 positions.*512"):
        load_encoder(str(folder))


def test_weights_of_another_model_are_refused(folder):
    """Transformers would draw them at random, and the run would only be mysteriously bad."""
    save_file({"other.weight": torch.zeros(3)}, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderError, match=r"missing.*random:"):
        load_encoder(str(folder))


def test_weights_without_one_layer_are_refused(folder):
    stored = load_file(folder / "model.safetensors")
    del stored["bert.encoder.layer.1.output.dense.weight"]
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderError, match=r"1 are missing, among them encoder\.layer\.1\.output\.dense\.weight"):
        load_encoder(str(folder))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer_config.json"])
@pytest.mark.parametrize("content", [b"", b"{ no", b"\xff\xfe"], ids=ascii)
def test_damaged_files_are_an_encoder_error(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(EncoderError, match="encoder"):
        load_encoder(str(folder))


def test_truncated_weights_are_an_encoder_error(folder):
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EncoderError, match="no encoder in this folder"):
        load_encoder(str(folder))


def test_a_tokenizer_of_another_model_is_refused(folder):
    more = [*(folder / "vocab.txt").read_text(encoding="utf-8").split(), *(f"新{i}" for i in range(50))]
    (folder / "vocab.txt").write_text("\n".join(more) + "\n", encoding="utf-8")
    with pytest.raises(EncoderError, match="do not belong together"):
        load_encoder(str(folder))


def test_an_empty_folder_and_a_folder_without_vocabulary(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(EncoderError, match=r"no encoder in this folder.*config\.json"):
        load_encoder(str(tmp_path / "empty"))
    (folder / "vocab.txt").unlink()
    with pytest.raises(EncoderError):
        load_encoder(str(folder))


@pytest.fixture
def no_network(monkeypatch):
    import socket

    def refuse(*_, **__):
        raise AssertionError("a test must not open a connection")

    monkeypatch.setattr(encoders, "_hub_reachable", lambda: False)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("name", ["bert-base-chinese", "hfl/chinese-macbert-base", "random:hfl/no-such-encoder"])
def test_offline_a_hub_name_names_what_is_embedded_at_once(no_network, monkeypatch, tmp_path, name):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    start = time.monotonic()
    with pytest.raises(EncoderError) as caught:
        load_encoder(name)
    assert time.monotonic() - start < 5
    message = str(caught.value)
    embedded = "mini-bert, mini-roberta-wwm, mini-macbert, mini-roberta-wwm-ext"
    for part in (name.removeprefix("random:"), embedded, "HF_ENDPOINT"):
        assert part in message


@pytest.mark.parametrize(("name", "meant"), [("mini-brt", "mini-bert"), ("mini-macbret", "mini-macbert")])
def test_a_misspelt_embedded_name(no_network, name, meant):
    with pytest.raises(EncoderError, match=f"Did you mean {meant!r}"):
        load_encoder(name)


@pytest.mark.parametrize("name", ["mini-bert", "mini-roberta-wwm", "mini-macbert", "mini-roberta-wwm-ext"])
def test_embedded_names_need_no_network(no_network, name):
    encoder = load_encoder("random:" + name)
    assert encoder.module.config.max_position_embeddings == 512
    assert encoder.module.get_input_embeddings().num_embeddings == len(encoder.tokenizer)


def test_whether_the_hub_is_there_is_asked_for_three_seconds_at_most(monkeypatch):
    import socket

    requests = []

    def connect(address, timeout):
        requests.append((address, timeout))
        raise OSError("unreachable")

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(encoders, "getproxies", lambda: {"no": "127.0.0.1"})  # what NO_PROXY alone gives
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example:8443")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert not encoders._hub_reachable()
    assert requests == [(("mirror.example", 8443), 3)]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert not encoders._hub_reachable() and len(requests) == 1
