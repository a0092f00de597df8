"""Raw text in, entities out: any length, any characters, offsets into the very text that was passed."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hanlp_tutor import Predictor, TrainConfig, build_model, load_corpus, save_model
from hanlp_tutor.core import inference
from hanlp_tutor.errors import InputError, ModelError, TutorError

pytestmark = pytest.mark.xdist_group("trained")

LABELS = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"
HOSTILE = [FAMILY, "e\N{COMBINING ACUTE ACCENT}", "\0", "\x07", "\t", "\r\n", "\u3000", "\ufeff", "\u202e", "\ufe0f",
           "\N{CJK UNIFIED IDEOGRAPH-20BB7}", "㈱", "ﷺ", "ｱﾞ", "１２", "iPhone 15", " ", "[PAD]", "[SEP]", "\ud83d",
           "\N{REGIONAL INDICATOR SYMBOL LETTER C}\N{REGIONAL INDICATOR SYMBOL LETTER N}", "北京", "张三"]  # fmt: skip
NEWS = [example.text for example in load_corpus("peoples_daily").test]


@pytest.fixture(scope="module")
def untrained(small_encoder) -> Predictor:
    """Finds spans everywhere: good for what must hold of any span."""
    return Predictor(build_model("ner", small_encoder, LABELS, TrainConfig(head_lr=1.0)))


def spans(found):
    return [(entity["start"], entity["end"], entity["label"]) for entity in found["entities"]]


def check_found(text, found):
    assert list(found) == ["text", "entities"] and found["text"] == text
    end = 0
    for entity in found["entities"]:
        assert list(entity) == ["start", "end", "label", "text", "score"]
        assert end <= entity["start"] < entity["end"] <= len(text), "in order, apart, inside"
        assert entity["text"] == text[entity["start"] : entity["end"]]
        assert 0 < entity["score"] <= 1
        end = entity["end"]


@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=3), max_size=20).map("".join))
@settings(deadline=None, max_examples=60)
def test_hostile_text_keeps_its_offsets(untrained, text):
    assert len(untrained.model.encode(text).ids) == len(text), "one token, so one label, for each code point"
    check_found(text, untrained.predict(text))


def test_every_hostile_piece_between_two_names(toy_model):
    predictor = Predictor(toy_model)
    for piece in HOSTILE[:-2]:
        text = "今天张三" + piece + "在北京走路"
        found = predictor.predict(text)
        check_found(text, found)
        n = len(piece)
        assert {(2, 4, "PER"), (5 + n, 7 + n, "LOC")} <= set(spans(found)), f"{piece!r} shifted or hid a name"


@pytest.mark.parametrize("text", ["", " ", "\u3000\n\t \x1f"])
def test_white_space_has_no_entities(ner_model, crf_model, text):
    for model in (ner_model, crf_model):
        assert Predictor(model).predict(text) == {"text": text, "entities": []}
        many = Predictor(model).predict_many([text, NEWS[0], text])
        assert [found["text"] for found in many] == [text, NEWS[0], text] and many[0]["entities"] == []


@pytest.mark.parametrize("text", ["", " ", "\u3000"])
def test_empty_text_gets_a_class(review_model, text):
    found = Predictor(review_model).predict(text)
    assert found["text"] == text and found["label"] in review_model.labels and 0.5 <= found["score"] <= 1


def test_many_are_predicted_in_order_and_as_one_by_one(ner_model, review_model):
    texts = [NEWS[i] for i in (5, 900, 3, 17, 1200, 44, 7)] + [max(NEWS, key=len), "", "北京"]
    for model in (ner_model, review_model):
        predictor = Predictor(model)
        for one, found in zip(map(predictor.predict, texts), predictor.predict_many(iter(texts)), strict=True):
            assert found["text"] == one["text"]
            if model is ner_model:
                check_found(one["text"], found)
                assert spans(found) == spans(one)
            else:
                assert found["label"] == one["label"] and found["score"] == pytest.approx(one["score"], abs=1e-5)


def test_score_is_the_geometric_mean_of_the_probabilities(ner_model, crf_model):
    for model in (ner_model, crf_model):
        text = next(text for text in NEWS if spans(Predictor(model).predict(text)))
        batch = model.collate([model.encode(text)])
        with torch.no_grad():
            p = model.probabilities(model(batch), batch)[0]
        for entity in Predictor(model).predict(text)["entities"]:
            product = 1.0
            for position in range(entity["start"], entity["end"]):
                tag = ("B-" if position == entity["start"] else "I-") + entity["label"]
                product *= float(p[position, model.labels.index(tag)])
            # a span may begin with I-X after O; its B-X is then not what was decoded
            tags = model.decode(model(batch), batch)[0][entity["start"] : entity["end"]]
            if tags[0].startswith("B-"):
                assert entity["score"] == pytest.approx(product ** (1 / len(tags)), rel=1e-4)


def test_score_of_a_class_is_its_probability(review_model):
    text = "房间很干净，下次还来。"
    batch = review_model.collate([review_model.encode(text)])
    with torch.no_grad():
        p = review_model(batch).softmax(-1)[0]
    found = Predictor(review_model).predict(text)
    assert found["label"] == review_model.labels[int(p.argmax())] and found["score"] == pytest.approx(float(p.max()))


# Where a text of 1,200 characters changes the window it is read from, and where its windows begin and end.
READ_FROM_ANOTHER = (382, 637)
EDGES = (255, 510, 765, 1020)


@pytest.mark.parametrize("border", READ_FROM_ANOTHER + EDGES)
def test_an_entity_across_a_border_is_found_once(toy_model, border):
    plain = "今天的会议在下午开始大家都来了" * 80
    for name, label in (("李小明", "PER"), ("北京", "LOC")):
        for start in range(border - len(name), border + 1):
            text = plain[:start] + name + plain[start : 1200 - len(name)]
            assert spans(Predictor(toy_model).predict(text)) == [(start, start + len(name), label)]


@pytest.mark.parametrize("which", ["ner_model", "crf_model", "review_model"])
def test_a_very_long_text_is_read_in_parts_with_the_same_result(which, request, monkeypatch):
    predictor = Predictor(request.getfixturevalue(which))
    text = "".join(NEWS[:150])[:6000]
    computed = []
    hook = predictor.model.encoder.register_forward_pre_hook(
        lambda module, args, kwargs: computed.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    monkeypatch.setattr(inference, "BATCH_TOKENS", 10**9)
    whole = predictor.predict(text)
    assert max(computed) > 10_000
    for budget in (4096, 1500, 100):
        computed.clear()
        monkeypatch.setattr(inference, "BATCH_TOKENS", budget)
        parts = predictor.predict(text)
        assert max(computed) <= max(budget, 512), "memory for a few windows only"
        if which == "review_model":
            assert parts["label"] == whole["label"] and parts["score"] == pytest.approx(whole["score"], abs=1e-5)
        else:
            check_found(text, parts)
            assert spans(parts) == spans(whole) and len(spans(whole)) > 50
    hook.remove()


def test_the_end_of_a_long_text_is_read(toy_model):
    text = "今天的会议在下午开始" * 300 + "张三"
    assert spans(Predictor(toy_model).predict(text)) == [(3000, 3002, "PER")]


@pytest.mark.parametrize(
    ("value", "advice"),
    [(None, "a str"), (b"\xe5\xbc\xa0", "decode"), (["张", "三"], "join"), (7, "int")],
)
def test_something_else_than_text_is_refused(untrained, value, advice):
    with pytest.raises(InputError, match=advice) as caught:
        untrained.predict(value)
    assert isinstance(caught.value, TypeError) and isinstance(caught.value, TutorError)


def test_something_else_than_a_list_of_texts_is_refused(untrained):
    with pytest.raises(InputError, match=re.escape("predict(text)")):
        untrained.predict_many("张三")
    with pytest.raises(InputError, match=r"Text 1 .*NoneType"):
        untrained.predict_many(["张三", None])
    with pytest.raises(InputError, match="int"):
        untrained.predict_many(3)
    assert untrained.predict_many([]) == []


def test_a_saved_model_predicts_the_same(ner_model, tmp_path):
    save_model(ner_model, tmp_path / "model")
    loaded = Predictor.load(tmp_path / "model")
    assert loaded.predict_many(NEWS[:30]) == Predictor(ner_model).predict_many(NEWS[:30])
    with pytest.raises(ModelError, match="no such"):
        Predictor.load(tmp_path / "elsewhere")


def test_a_model_in_training_stays_in_training(small_encoder):
    model = build_model("ner", small_encoder, LABELS, TrainConfig(dropout=0.5)).train()
    predictions = [Predictor(model).predict(NEWS[0]) for _ in range(2)]
    assert predictions[0] == predictions[1] and model.training and model.encoder.training




def _greedy(task, encoder):
    """A model to which all of a text is one entity: of ten characters, or words, at most."""
    labels = {"ner": ("O", "B-PER", "I-PER"), "multitask": ("tok/B", "tok/M", "tok/E", "tok/S", "ner/O", "ner/B-PER",
                                                             "ner/I-PER")}[task]  # fmt: skip
    model = build_model(task, encoder, labels, TrainConfig())
    heads = [model.head] if task == "ner" else [model.head.decoders[name] for name in ("tok", "ner")]
    with torch.no_grad():
        for head in heads:
            head.classifier.weight.zero_()
            head.classifier.bias.zero_()
        heads[-1].classifier.bias[2] = 5.0  # I-PER everywhere
        if task == "multitask":
            heads[0].classifier.bias[3] = 5.0  # S: each piece is a word
    return model.eval()


BLANK_EDGES = ["\u3000\u3000李明\u3000", "李明\u200b", "\ufeff李明", " \t李明\n", "\u202e李明\x07\xa0",
               "\u2060李\u200b明\xad"]  # fmt: skip


@pytest.mark.parametrize("task", ["ner", "multitask"])
@pytest.mark.parametrize("text", BLANK_EDGES)
def test_an_entity_has_no_blank_edges(small_encoder, task, text):
    found = Predictor(_greedy(task, small_encoder)).predict(text)
    (entity,) = found["entities" if task == "ner" else "ner"]
    start, end = text.index("李"), text.index("明") + 1
    assert (entity["start"], entity["end"], entity["text"]) == (start, end, text[start:end])
    assert entity["score"] > 0.9, "of the tags that were given, not of those that the cut would make of them"


@pytest.mark.parametrize("text", ["\u200b", "\ufeff\u200b ", " \u3000", "\x00\xad"])
def test_a_blank_is_no_entity(small_encoder, text):
    for task in ("ner", "multitask"):
        found = Predictor(_greedy(task, small_encoder)).predict(text)
        assert found["entities" if task == "ner" else "ner"] == []


def test_evaluation_calibration_and_extending_cut_the_same_edges(small_encoder):
    """One and the same prediction, to whoever looks at it."""
    from hanlp_tutor import evaluate_model
    from hanlp_tutor.data import Span, TaggedText
    from hanlp_tutor.data.words import TaggedWords
    from hanlp_tutor.workbench.calibration import entity_scores, gather_logits, prediction_scores
    from hanlp_tutor.workbench.extend import scores_of

    model = _greedy("ner", small_encoder)
    examples = [TaggedText.from_spans(t, [Span(t.index("李"), t.index("明") + 1, "PER")]) for t in BLANK_EDGES]
    assert evaluate_model(model, examples)["f1"] == 1.0 == scores_of(model, examples, ["PER"])["f1"]
    assert all(prediction_scores(model, gather_logits(model, examples))[1])
    predictions = Predictor(model).predict_many([example.text for example in examples])
    assert entity_scores(predictions, [example.spans for example in examples])[1] == [True] * len(examples)
    words = TaggedWords("ner", ("\u3000", "李明", "\u200b"), ("O", "B-PER", "O"))
    assert evaluate_model(_greedy("multitask", small_encoder), [words])["ner"]["f1"] == 1.0


@pytest.mark.parametrize("training", [False, True])
def test_sixteen_threads_get_what_one_gets(small_encoder, training):
    """Threads share a Predictor, also one made of a model in training mode."""
    model = build_model("ner", small_encoder, LABELS, TrainConfig(crf=True, dropout=0.5))
    expected = [Predictor(model.eval()).predict(text) for text in NEWS[:64]]
    shared = Predictor(model.train(training))
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(shared.predict, NEWS[:64]))
    assert found == expected and model.training is training
    assert sum(len(each["entities"]) for each in found) > 64
