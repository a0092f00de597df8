"""Which encoders are let in: tried on characters and on a full window, not by what a configuration promises."""

import pytest
import torch
from tiny_encoders import SHAPES, byte_level, english, in_two_pieces, tiny, unigram, write_encoder
from toy import labelled, tagged

from hanlp_tutor import Predictor, TrainConfig, export_hanlp, fine_tune
from hanlp_tutor.core.model_folder import build_model, load_model, save_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.encoders import load_encoder
from hanlp_tutor.encoders.acceptance import COMMON, check_characters, longest_window
from hanlp_tutor.encoders.mini import mini_tokenizer, vocabulary
from hanlp_tutor.errors import EncoderError, ModelError

FAST = TrainConfig(epochs=1, batch_size=4, lr=1e-3, patience=None)
LABELS = ("O", "B-PER", "I-PER")


def test_a_few_hundred_common_characters():
    assert len(COMMON) == len(set(COMMON)) > 300 and set(COMMON) <= set(vocabulary())


# --- tokenizers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (unigram, r"does not keep Chinese characters apart\. 315 common ones become 1 different"),
        (byte_level, r"does not keep Chinese characters apart\. 315 common ones become \d different"),
        (english, r"knows 0 of 315 common Chinese characters"),
        (in_two_pieces, r"splits single characters, 的 into 2"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "random:"])
def test_what_a_tagger_cannot_read_is_refused_and_what_works_is_named(make, says, prefix, tmp_path):
    tokenizer = make()
    folder = write_encoder(tmp_path / "encoder", tiny("bert", len(tokenizer)), tokenizer)
    for load in (lambda: load_encoder(prefix + folder), lambda: build_model("ner", prefix + folder, LABELS, FAST)):
        with pytest.raises(EncoderError, match=says) as caught:
            load()
        for part in ("WordPiece", "bert-base-chinese", "hfl/chinese-macbert-base", "mini-roberta-wwm-ext", folder):
            assert part in str(caught.value)


@pytest.mark.parametrize("make", [unigram, byte_level])
def test_whole_texts_may_be_read_in_other_pieces(make, tmp_path):
    """A classifier reads a text as the tokenizer cuts it, and there the characters stay apart."""
    tokenizer, texts = make(), labelled(12)
    folder = write_encoder(tmp_path / "encoder", tiny("bert", len(tokenizer)), tokenizer)
    model = build_model("classify", folder, label_set("classify", texts), FAST)
    fine_tune(model, texts, [], FAST, tmp_path / "run", progress="none")
    with pytest.raises(EncoderError, match="apart"):
        build_model("multitask", folder, ("tok/B", "tok/M", "tok/E", "tok/S"), FAST)


def test_characters_that_a_classifier_could_not_tell_apart_are_refused(tmp_path):
    tokenizer = english()
    folder = write_encoder(tmp_path / "encoder", tiny("bert", len(tokenizer)), tokenizer)
    with pytest.raises(EncoderError, match="knows 0 of"):
        build_model("classify", folder, ("bad", "good"), FAST)


def test_one_pair_that_is_read_alike_is_enough(tmp_path):
    core = mini_tokenizer()
    from tokenizers import normalizers

    before = core.backend_tokenizer.normalizer
    core.backend_tokenizer.normalizer = normalizers.Sequence([before, normalizers.Replace("我", "他")])
    with pytest.raises(EncoderError, match="我 and 他 are both read as '他'"):
        check_characters("it", core, by_character=True)


def test_a_vocabulary_that_lacks_a_few_is_let_in(tiny_encoder):
    encoder = load_encoder(tiny_encoder)
    known = [c for c in COMMON if encoder.tokenizer.convert_tokens_to_ids(c) != encoder.tokenizer.unk_token_id]
    assert len(COMMON) // 2 < len(known) < len(COMMON)


# --- windows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SHAPES)
def test_every_architecture_reads_512_tokens(kind):
    assert longest_window(kind, tiny(kind), mini_tokenizer()) == 512


@pytest.mark.parametrize(
    ("kind", "padding", "window"),
    [("roberta", 1, 510), ("roberta", 0, 511), ("xlm-roberta", 1, 510), ("mpnet", 1, 510),
     ("roberta-prelayernorm", 1, 510)],
)  # fmt: skip
def test_positions_that_do_not_begin_at_0_leave_a_shorter_window(kind, padding, window):
    encoder = tiny(kind, max_position_embeddings=512, pad_token_id=padding)
    encoder.train()
    assert longest_window(kind, encoder, mini_tokenizer()) == window and encoder.training


@pytest.mark.parametrize("task", ["ner", "classify"])
def test_long_texts_are_read_in_the_window_that_works(task, tmp_path, capsys, monkeypatch):
    """Trained, evaluated, predicted and saved; and said: HanLP, whose window is fixed, could not read it."""
    examples = tagged(6, shortest=505, longest=620) if task == "ner" else labelled(6, longest=620)
    folder = write_encoder(tmp_path / "roberta", tiny("roberta", max_position_embeddings=512))
    model = build_model(task, folder, label_set(task, examples), FAST)
    assert model.window == 510
    monkeypatch.setenv("HANLP_TUTOR_PROGRESS", "lines")
    fine_tune(model, examples, examples[:3], FAST, tmp_path / "run")
    assert "reads 510 tokens at once" in capsys.readouterr().err
    texts = ["今" * length for length in (507, 508, 509, 510, 511, 700)]
    found = Predictor(model).predict_many(texts)
    again = Predictor.load(save_model(model, tmp_path / "model"))
    assert again.model.window == 510 and again.predict_many(texts) == found
    batch = model.collate([model.encode(texts[-1])])
    assert batch.input_ids.shape[1] == 510
    with pytest.raises(ModelError, match="reads 510 tokens at once"):
        export_hanlp(model, tmp_path / "hanlp")


def test_an_older_model_folder_learns_its_window(tmp_path):
    import json

    folder = write_encoder(tmp_path / "roberta", tiny("roberta", max_position_embeddings=512))
    saved = save_model(build_model("ner", folder, LABELS, FAST), tmp_path / "model")
    card = json.loads((saved / "model.json").read_text(encoding="utf-8"))
    del card["window"]
    (saved / "model.json").write_text(json.dumps(card), encoding="utf-8")
    assert load_model(saved).window == 510


def test_what_reads_no_window_at_all_is_refused_with_the_reason():
    class Broken(torch.nn.Module):
        config = tiny("bert").config

        def forward(self, **_):
            raise RuntimeError("no such kernel\nand more")

    with pytest.raises(EncoderError, match=r"it: one window of 512 tokens cannot be read \(no such kernel\)"):
        longest_window("it", Broken(), mini_tokenizer())
