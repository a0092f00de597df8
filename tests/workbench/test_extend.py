"""More labels for a trained model: what it knew is there bit for bit, and what it forgets is measured."""

import pytest
import torch
import toy

from hanlp_tutor import TrainConfig, build_model, fine_tune, load_corpus
from hanlp_tutor.core.predict import Predictor
from hanlp_tutor.corpora.peoples_daily import tag_pos, word_tasks
from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.data.words import word_labels
from hanlp_tutor.errors import ConfigError, DataError, ModelError, TrainingError
from hanlp_tutor.workbench.extend import add_task, complete, extend, scores_of, types_of

pytestmark = pytest.mark.xdist_group("trained")


def marked(examples, spans_of) -> list[TaggedText]:
    return [TaggedText.from_spans(e.text, spans_of(e), e.source) for e in examples]


def with_times(count: int, seed: int) -> list[TaggedText]:
    """Toy sentences that begin with a time."""
    made = []
    for number, example in enumerate(toy.tagged(count, seed=seed)):
        word = ("后天", "中午")[number % 2]
        spans = [Span(s.start + 2, s.end + 2, s.label) for s in example.spans]
        made.append(TaggedText.from_spans(word + example.text, [*spans, Span(0, 2, "TIME")], example.source))
    return made


CONFIG = TrainConfig(epochs=6, batch_size=16, lr=2e-3, head_lr=3e-3, dropout=0.0)


def test_a_task_is_added_to_a_multi_task_model(small_encoder, tmp_path):
    some = word_tasks(load_corpus("peoples_daily").test[:20])
    two = [example for example in some if example.task != "ner"]
    model = build_model("multitask", small_encoder, word_labels(two), TrainConfig()).eval()
    assert model.tasks == ("tok", "pos")
    grown = add_task(model, word_labels(e for e in some if e.task == "ner")).eval()
    assert grown.tasks == ("tok", "pos", "ner") and grown.tags["pos"] == model.tags["pos"]
    for example in two[::7]:
        batch = model.collate([model.encode(example)])
        with torch.no_grad():
            assert torch.equal(grown(batch), model(batch))
    with pytest.raises(ModelError, match="of a task that the model lacks"):
        add_task(model, ("pos/brandnew",))
    config = TrainConfig(epochs=1, freeze="encoder", lr=1e-3)
    fine_tune(grown, [e for e in some if e.task == "ner"], [], config, tmp_path / "run", progress="none")
    words = [example.text for example in two[:20]]
    assert [a["tok"] for a in Predictor(grown).predict_many(words)] == [
        a["tok"] for a in Predictor(model).predict_many(words)
    ], "θ was frozen"


def test_pseudo_labels_go_where_nothing_is_marked(toy_model):
    text = "张三到北京市"
    example = TaggedText.from_spans(text, [Span(3, 6, "TIME")])
    (found,) = complete(toy_model, [example], ["PER", "LOC"])
    assert set(found.spans) <= {Span(0, 2, "PER"), Span(3, 6, "TIME")} and Span(3, 6, "TIME") in found.spans
    assert complete(toy_model, [example], []) == [example]


def test_scores_of_some_types_do_not_punish_the_others(toy_model):
    test = toy.tagged(40, seed=9)
    only = marked(test, lambda e: [s for s in e.spans if s.label == "LOC"])
    assert scores_of(toy_model, only, ["LOC"]) == scores_of(toy_model, test, ["LOC"])
    assert scores_of(toy_model, test, ["LOC"])["f1"] > 0.8


def test_what_is_forgotten_without_replay_is_kept_with_it(toy_model, tmp_path):
    full = with_times(200, seed=21)
    new = marked(full, lambda e: [s for s in e.spans if s.label == "TIME"])
    test = with_times(60, seed=22)
    before = {name: tensor.clone() for name, tensor in toy_model.state_dict().items()}
    outcome = {}
    for name, replay in (("none", None), ("pseudo", "pseudo"), ("old examples", toy.tagged(200))):
        outcome[name] = extend(toy_model, new, CONFIG, tmp_path / name, replay=replay, old_test=test, new_test=test,
                               progress="none")  # fmt: skip
    assert all(torch.equal(toy_model.state_dict()[name], tensor) for name, tensor in before.items())
    assert types_of(toy_model) == ("LOC", "PER") and outcome["none"].new_types == ("TIME",)
    for each in outcome.values():
        assert each.before["new"]["f1"] == 0 and each.after["new"]["f1"] > 0.8, each.report()
    assert outcome["none"].forgotten > 30, "new sentences alone say that there are no people and places"
    assert outcome["pseudo"].forgotten < 10 and outcome["old examples"].forgotten < 10
    rows = outcome["pseudo"].report()
    assert [row["type"] for row in rows] == ["LOC", "PER", "all old types", "TIME", "all new types"]
    assert rows[2]["points"] == pytest.approx(-outcome["pseudo"].forgotten)


def test_an_old_type_that_is_marked_in_the_new_sentences_is_believed(toy_model, tmp_path):
    new = marked(with_times(20, seed=3), lambda e: [s for s in e.spans if s.label in ("TIME", "PER")])
    extension = extend(toy_model, new, CONFIG.replace(epochs=1), tmp_path / "run", progress="none")
    assert extension.new_types == ("TIME",) and extension.before == {} == extension.after
    assert extension.report() == []


def test_what_cannot_be_extended(toy_model, multitask_model, tmp_path):
    with pytest.raises(TrainingError, match="Go on with fine_tune"):
        extend(toy_model, toy.tagged(5), CONFIG, tmp_path / "run")
    with pytest.raises(ConfigError, match="'pseudo' or None"):
        extend(toy_model, with_times(5, 1), CONFIG, tmp_path / "run", replay="all")
    with pytest.raises(ModelError, match="entity types"):
        extend(multitask_model, with_times(5, 1), CONFIG, tmp_path / "run")


def test_times_of_the_newspaper_are_runs_of_words():
    lines = load_corpus("peoples_daily").train[:200]
    tagged = tag_pos(lines, "t", "TIME")
    assert [e.text for e in tagged] == [e.text for e in lines]
    found = {e.text[s.start : s.end] for e in tagged for s in e.spans}
    assert len(found) > 30 and any("月" in text and "日" in text for text in found), "1月20日 is one time"
    assert all(a.end < b.start for e in tagged for a, b in zip(e.spans, e.spans[1:], strict=False))
    with pytest.raises(DataError, match="no line of the People's Daily"):
        tag_pos([TaggedText("今天", ("O", "O"), "199801.txt:1")], "t", "TIME")
