"""Scores against seqeval and scikit-learn, on random and adversarial input."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from seqeval.metrics import classification_report as seqeval_report
from seqeval.metrics import f1_score, precision_score, recall_score
from sklearn.metrics import accuracy_score, classification_report
from toy import labelled, tagged

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.evaluate import evaluate_model, score_on_test
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.scores import class_scores, span_scores
from hanlp_tutor.core.task import label_set, task_named
from hanlp_tutor.data import TaggedText
from hanlp_tutor.data.schemes import spans_from_bio
from hanlp_tutor.errors import DataError
from hanlp_tutor.workbench.novelty import recall_by_novelty

# Ill-formed sequences too: an I- that continues nothing, or another type. Gold and predicted types differ in part.
GOLD = st.sampled_from(["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG"])
PREDICTED = st.sampled_from(["O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC", "I-FOOD"])
PAIRS = st.lists(
    st.integers(0, 12).flatmap(
        lambda n: st.tuples(st.lists(GOLD, min_size=n, max_size=n), st.lists(PREDICTED, min_size=n, max_size=n))
    ),
    max_size=8,
)
NAMES = ("precision", "recall", "f1")


@given(PAIRS)
@example([(["B-PER", "I-LOC", "I-LOC"], ["I-PER", "B-LOC", "I-LOC"])])
@example([(["B-PER", "B-PER", "I-PER"], ["B-PER", "I-PER", "I-PER"])])
@example([(["O"], ["I-FOOD"])])
@example([(["B-ORG"], ["O"])])
@example([])
@pytest.mark.filterwarnings("ignore::UserWarning")  # seqeval warns where nothing was found
def test_span_scores_are_seqevals(pairs):
    gold, predicted = [list(g) for g, _ in pairs], [list(p) for _, p in pairs]
    ours = span_scores([spans_from_bio(tags) for tags in gold], [spans_from_bio(tags) for tags in predicted])
    types = {tag[2:] for row in gold + predicted for tag in row if tag != "O"}
    assert set(ours["per_type"]) == types
    if not types:
        assert [ours[name] for name in NAMES] == [0, 0, 0]
        return
    theirs = [score(gold, predicted, zero_division=0) for score in (precision_score, recall_score, f1_score)]
    assert [ours[name] for name in NAMES] == pytest.approx(theirs, abs=1e-12)
    report = seqeval_report(gold, predicted, output_dict=True, zero_division=0)
    for kind, row in ours["per_type"].items():
        expected = [report[kind][name] for name in ("precision", "recall", "f1-score", "support")]
        assert [*(row[name] for name in NAMES), row["support"]] == pytest.approx(expected, abs=1e-12)


def _text_of(tags, seed):
    return "".join("甲乙"[(seed >> i) % 2] for i in range(len(tags)))


@given(PAIRS, PAIRS, st.integers(0, 4095))
@example([(["B-PER"], ["B-PER"])], [(["B-LOC"], ["O"])], 0)  # the same text of another type is no entity shown
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_recall_by_novelty_is_seqevals_on_gold_of_one_kind(shown, pairs, seed):
    train = [TaggedText(_text_of(g, seed), tuple(g)) for g, _ in shown]
    gold = [TaggedText(_text_of(g, seed // 2), tuple(g)) for g, _ in pairs]
    predicted = [list(p) for _, p in pairs]
    ours = recall_by_novelty(train, gold, [spans_from_bio(tags) for tags in predicted])
    known = {(e.text[s.start : s.end], s.label) for e in train for s in e.spans}
    counts = {}
    for name, seen in (("recall_seen", True), ("recall_unseen", False)):
        rows = []
        for each in gold:  # the gold entities of one kind alone: recall does not mind what else is found
            row = ["O"] * len(each.text)
            for s in each.spans:
                if ((each.text[s.start : s.end], s.label) in known) == seen:
                    row[s.start : s.end] = [f"B-{s.label}"] + [f"I-{s.label}"] * (s.end - s.start - 1)
            rows.append(row)
        counts[seen] = sum(tag.startswith("B-") for row in rows for tag in row)
        expected = recall_score(rows, predicted, zero_division=0) if counts[seen] else 0.0
        assert ours[name] == pytest.approx(expected, abs=1e-12)
    assert ours["share_unseen"] == pytest.approx(counts[False] / max(1, sum(counts.values())))


LABELS = st.sampled_from(["好", "差", "中", "a b"])


@given(st.lists(st.tuples(LABELS, st.sampled_from(["好", "差", "别的"])), min_size=1, max_size=40))
@example([("好", "差")])
@example([("好", "好")])
def test_class_scores_are_scikit_learns(pairs):
    gold, predicted = [g for g, _ in pairs], [p for _, p in pairs]
    ours = class_scores(gold, predicted)
    report = classification_report(gold, predicted, output_dict=True, zero_division=0)
    assert ours["accuracy"] == ours["micro_f1"] == pytest.approx(accuracy_score(gold, predicted))
    assert ours["macro_f1"] == pytest.approx(report["macro avg"]["f1-score"])
    assert set(ours["per_class"]) == {*gold, *predicted}
    for label, row in ours["per_class"].items():
        expected = [report[label][name] for name in ("precision", "recall", "f1-score", "support")]
        assert [*(row[name] for name in NAMES), row["support"]] == pytest.approx(expected)


def test_scores_by_hand():
    """Two of three found spans are right, of four."""
    gold = [spans_from_bio(["B-PER", "I-PER", "O", "B-LOC"]), spans_from_bio(["B-LOC", "O", "B-ORG", "I-ORG"])]
    found = [spans_from_bio(["B-PER", "I-PER", "O", "B-PER"]), spans_from_bio(["B-LOC", "O", "O", "O"])]
    scores = span_scores(gold, found)
    assert (scores["precision"], scores["recall"], scores["f1"]) == (2 / 3, 2 / 4, pytest.approx(4 / 7))
    assert scores["per_type"]["PER"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "support": 1}
    assert scores["per_type"]["ORG"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}


def test_nothing_at_all():
    assert span_scores([], [])["f1"] == 0 and span_scores([[]], [[]])["per_type"] == {}
    assert class_scores([], [])["macro_f1"] == 0
    with pytest.raises(ValueError, match="shorter"):
        span_scores([[]], [])


@pytest.mark.parametrize("task", ["ner", "classify"])
def test_predictions_come_back_in_the_order_of_the_examples(tiny_encoder, task):
    """Scored in batches by length: each text's own prediction, and the mean loss over tokens or texts."""
    examples = tagged(20, longest=90) if task == "ner" else labelled(20)
    model = build_model(task, tiny_encoder, label_set(task, examples), TrainConfig(dropout=0.5)).train()
    scores = evaluate_model(model, examples)
    assert model.training, "its mode is left as it was"
    model.eval()
    predictions, loss, count = [], 0.0, 0
    for one in examples:
        batch = model.collate([model.encode(one)])
        logits = model(batch)
        predictions += model.decode(logits, batch)
        loss, count = loss + model.loss_sum(logits, batch).item(), count + batch.valid
    assert scores.pop("loss") == pytest.approx(loss / count, rel=1e-5)
    flat = [tag for tags in predictions for tag in tags] if task == "ner" else predictions
    commonest = max(flat.count(label) for label in flat)
    assert scores.pop("minority") == pytest.approx(1 - commonest / len(flat))
    if task == "ner":
        expected = span_scores([one.spans for one in examples], [spans_from_bio(tags) for tags in predictions])
    else:
        expected = class_scores([one.label for one in examples], predictions)
    assert scores == expected and task_named(task).headline in scores


def test_a_long_text_is_scored_whole(tiny_encoder):
    text = tagged(1, shortest=1300, longest=1300)
    model = build_model("ner", tiny_encoder, label_set("ner", text), TrainConfig())
    assert evaluate_model(model, text)["loss"] > 0


def test_gold_that_the_model_cannot_know_counts_as_missed(tiny_encoder):
    known = tagged(10)
    model = build_model("ner", tiny_encoder, label_set("ner", known), TrainConfig())
    scores = score_on_test(model, [*known, TaggedText("某药好", ("B-DRUG", "I-DRUG", "O"))])
    assert scores["per_type"]["DRUG"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
    assert scores.keys() == {"precision", "recall", "f1", "per_type"}


def test_a_set_of_which_the_model_knows_no_label_has_no_score(tiny_encoder):
    model = build_model("ner", tiny_encoder, label_set("ner", tagged(10)), TrainConfig())
    with pytest.raises(DataError, match=r"test.txt: no label of this file is known to the model: 人名; .* LOC, PER"):
        score_on_test(model, [TaggedText("张三来", ("B-人名", "I-人名", "O"), "test.txt:1")])
    model = build_model("classify", tiny_encoder, ("坏", "好"), TrainConfig())
    with pytest.raises(DataError, match="known to the model: bad, good; the model knows 坏, 好"):
        score_on_test(model, labelled(10))
