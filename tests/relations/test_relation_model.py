"""Relations by the same loop: learnt, scored without the negative class, cut around the pair, read by plain HanLP."""

import json
from dataclasses import replace

import pytest
import torch
import toy
from plain_hanlp import ask
from sklearn.metrics import f1_score

from hanlp_tutor import (
    Predictor,
    TrainConfig,
    build_model,
    evaluate_model,
    export_hanlp,
    fine_tune,
    load_hanlp,
    load_model,
    save_model,
)
from hanlp_tutor.core.evaluate import score_on_test
from hanlp_tutor.core.task import label_set, task_named
from hanlp_tutor.data import RelationText, Split, fingerprint
from hanlp_tutor.data.notes import DataNotice, notes_to
from hanlp_tutor.errors import DataError, InputError, ModelError
from hanlp_tutor.manifest import read_manifest
from hanlp_tutor.relations.task import relation_scores
from hanlp_tutor.workbench.baseline_run import measure_baseline
from hanlp_tutor.workbench.calibration import fit_temperature
from hanlp_tutor.workbench.go_on import go_on
from hanlp_tutor.workbench.job import read_split

PAIR = {"head": "甲公司", "tail": "乙公司", "text": "今天甲公司收购乙公司"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model that tells who buys or sues whom, and its run folder. Leave it as it is."""
    out = tmp_path_factory.mktemp("relations")
    train = toy.related(200)
    config = TrainConfig(epochs=6, batch_size=16, lr=5e-4, head_lr=1e-3, dropout=0.0)
    model = build_model("relation", "mini-bert", label_set("relation", train), config)
    fine_tune(model, train, toy.related(40, seed=1), config, out, progress="none")
    return model.eval(), out


@pytest.fixture
def untrained(small_encoder):
    return build_model("relation", small_encoder, ("NA", "收购", "起诉"), TrainConfig()).eval()


def test_it_learns_the_relation_and_its_direction(trained):
    model, out = trained
    scores = evaluate_model(model, toy.related(100, seed=2))
    assert scores["micro_f1"] > 0.9 and set(scores) >= {"accuracy", "macro_f1", "micro_f1", "per_class"}
    forth, back = Predictor(model).predict_many([PAIR, {**PAIR, "head": "乙公司", "tail": "甲公司"}])
    assert (forth["relation"], back["relation"]) == ("收购", "被收购")
    manifest = read_manifest(out)
    assert manifest["task"] == "relation" and manifest["exports"]["hanlp"] == "possible"
    assert manifest["data"]["train"] == fingerprint(toy.related(200))


def test_every_way_to_give_a_pair_is_answered_alike(trained):
    model, _ = trained
    predictor = Predictor(model)
    answer = predictor.predict(PAIR)
    assert set(answer) == {"text", "head", "tail", "relation", "score"} and 0 < answer["score"] <= 1
    pair = RelationText(PAIR["text"], PAIR["head"], PAIR["tail"], "whatever")
    tabs = "\t".join((PAIR["head"], PAIR["tail"], PAIR["text"]))
    others = [tuple(PAIR.values()), pair, json.dumps(PAIR), tabs, "今天「甲公司」收购『乙公司』"]
    assert predictor.predict_many(others) == [pytest.approx(answer)] * len(others)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("甲公司收购乙公司", "a pair is head, tail and text, three strings"),
        ({"head": " ", "tail": "甲公司", "text": "甲公司"}, "three strings that are not blank. Give"),
        ({**PAIR, "tail": "丙公司"}, "the tail '丙公司' does not stand in the sentence"),
        (None, "a pair is head, tail and text"),
        (7, "a pair is head, tail and text"),
    ],
)
def test_what_is_no_pair_is_refused(untrained, given, message):
    with pytest.raises(InputError, match=message):
        Predictor(untrained).predict(given)
    with pytest.raises(InputError, match="takes a list of texts; this is of type dict"):
        Predictor(untrained).predict_many(PAIR)


def test_saved_and_opened_it_is_the_same(trained, tmp_path):
    model, _ = trained
    model = load_model(save_model(model, tmp_path / "model"))
    assert model.extra == {"markers": "「」『』", "negative": "NA", "type_pairs": None}
    assert Predictor(model).predict(PAIR) == pytest.approx(Predictor(trained[0]).predict(PAIR))
    model.extra.update(negative="无", type_pairs=[["PER", "ORG"]])
    assert load_model(save_model(model, tmp_path / "other")).extra == model.extra


def test_plain_hanlp_reads_marked_sentences(trained, tmp_path):
    """In a process of its own; the README's lines mark as the kit does."""
    model, _ = trained
    folder = export_hanlp(model, tmp_path / "hanlp")
    examples = [*toy.related(20, seed=3), RelationText("甲公司和「乙公司」", "甲公司", "乙公司", "NA")]
    marked = [model.marked(example) for example in examples]
    readme = {}
    lines = (folder / "README.md").read_text(encoding="utf-8").split("```python\n")[2].split("```")[0]
    exec(compile(lines, "README.md", "exec"), readme)
    assert [readme["mark"](each.text, each.head, each.tail) for each in examples] == marked
    assert readme["mark"]("甲公司", "甲公司", "公司") == model.marked(RelationText("甲公司", "甲公司", "公司", "NA"))
    (job,) = ask([{"folder": str(folder), "inputs": marked}])
    assert job["predictions"] == [each["relation"] for each in Predictor(model).predict_many(examples)]
    again = load_hanlp(folder)
    assert again.task == "relation" and again.extra == model.extra
    assert Predictor(again).predict(PAIR) == pytest.approx(Predictor(model).predict(PAIR))


@pytest.mark.parametrize("told", [{}, {"markers": "「」"}, {"markers": "「」『』", "type_pairs": [["a"]]}, 7])
def test_an_export_that_was_tampered_with(untrained, tmp_path, told):
    folder = export_hanlp(untrained, tmp_path / "hanlp")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"relation": told}), encoding="utf-8")
    with pytest.raises(ModelError, match="'relation' is not what the kit writes there"):
        load_hanlp(folder)


# --- long texts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [0, 700, 1500])
def test_of_a_long_text_the_window_holds_both_entities(trained, before):
    model, _ = trained
    text = "今" * before + PAIR["text"] + "明" * (1500 - before)
    (answer,) = Predictor(model).predict_many([{**PAIR, "text": text}])
    assert answer["cut"] is True and answer["text"] == text
    encoded = model.encode_input(RelationText(text, "甲公司", "乙公司", "收购"))
    batch = model.collate([encoded])
    read = model.tokenizer.decode(batch.input_ids[0].tolist()).replace(" ", "")
    assert batch.input_ids.shape == (1, 512) and not batch.windowed and "「甲公司」收购『乙公司』" in read
    batch = model.collate([encoded], max_length=40)
    assert batch.input_ids.shape == (1, 40)
    assert "「甲公司」收购『乙公司』" in model.tokenizer.decode(batch.input_ids[0].tolist()).replace(" ", "")
    assert "cut" not in Predictor(model).predict(PAIR)


def test_entities_too_far_apart_keep_what_is_around_them(untrained):
    text = "甲公司收购了" + "今" * 800 + "就是乙公司"
    encoded = untrained.encode_input(RelationText(text, "甲公司", "乙公司", "收购"))
    read = untrained.tokenizer.decode(untrained.collate([encoded]).input_ids[0].tolist()).replace(" ", "")
    assert "「甲公司」收购了今" in read and "今就是『乙公司』" in read


def test_a_long_text_trains(small_encoder, tmp_path):
    train = [replace(each, text=each.text + "明" * 60, starts=None) for each in toy.related(12)]
    config = TrainConfig(epochs=1, batch_size=4, max_length=32)
    model = build_model("relation", small_encoder, label_set("relation", train), config)
    assert fine_tune(model, train, train, config, tmp_path / "run", progress="none").best_dev >= 0
    longer = [*train, replace(train[0], text=train[0].text + "明" * 600, starts=None)]
    with pytest.warns(DataNotice, match="1 of 13 training texts are longer than the window of 512 tokens"):
        fine_tune(model, longer, [], config, tmp_path / "other", progress="none")


# --- the negative class and the types --------------------------------------------------------------------------------


def test_micro_f1_leaves_the_negative_class_out():
    gold = ["NA", "NA", "a", "a", "b", "NA"]
    found = ["NA", "a", "a", "NA", "a", "NA"]
    scores = relation_scores(gold, found, "NA")
    precision, recall = 1 / 3, 1 / 3  # one of three found, one of three wanted
    assert scores["micro_f1"] == pytest.approx(2 * precision * recall / (precision + recall))
    assert scores["accuracy"] == pytest.approx(3 / 6) and scores["per_class"]["NA"]["support"] == 3
    assert scores["macro_f1"] == pytest.approx(f1_score(gold, found, average="macro", zero_division=0))
    assert relation_scores(gold, found, None)["micro_f1"] == pytest.approx(3 / 6)
    assert relation_scores(["NA"], ["NA"], "NA")["micro_f1"] == 0.0


def typed(relation: str, types: tuple[str, str]) -> RelationText:
    return RelationText("甲公司和乙公司", "甲公司", "乙公司", relation, types=types)


def test_pairs_of_types_without_a_relation_are_none(untrained):
    task = task_named("relation")
    train = [typed("收购", ("ORG", "ORG")), typed("NA", ("ORG", "ORG")), typed("NA", ("PER", "ORG"))]
    assert task.admit(train, train) == train[:2]
    test = [typed("NA", ("PER", "ORG")), typed("起诉", ("PER", "ORG")), typed("NA", ("ORG", "ORG"))]
    assert task.admit(test, train) == test[1:]
    task.prepare(untrained, train)
    assert untrained.extra["type_pairs"] == [["ORG", "ORG"]] and untrained.negative == "NA"
    scores = task.score(untrained, test, ["收购", "起诉", "NA"])
    assert scores["accuracy"] == 0.5, "the first is no example, the second is missed, the third right"
    assert scores["per_class"]["起诉"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
    assert task.score(untrained, test[:1], ["收购"])["micro_f1"] == 0.0


def test_a_named_negative_class_goes_into_the_model(small_encoder, tmp_path):
    train = [replace(each, negative="起诉") for each in toy.related(24)]
    config = TrainConfig(epochs=1, batch_size=8)
    model = build_model("relation", small_encoder, label_set("relation", train), config)
    assert model.negative == "NA"
    fine_tune(model, train, [], config, tmp_path / "run", progress="none")
    assert model.negative == "起诉"


# --- around it -----------------------------------------------------------------------------------------------------


def test_the_pairs_of_a_sentence_stay_together(tmp_path):
    paths = toy.write_related(tmp_path)
    notes = []
    with notes_to(notes.append):
        split = read_split("relation", paths["train"])
    texts = [{each.text for each in part} for part in (split.train, split.dev, split.test)]
    assert all(texts) and not (texts[0] & texts[1] or texts[0] & texts[2] or texts[1] & texts[2])
    assert any("'NA' is taken for no relation" in each and "-r negative NAME" in each for each in notes)


def test_gold_labels_that_training_lacked_are_missed(untrained):
    notes = []
    with notes_to(notes.append):
        scores = score_on_test(untrained, toy.related(20, seed=5))
    assert scores["per_class"]["被收购"]["f1"] == 0.0 and "被收购" in notes[0]
    with pytest.raises(DataError, match="no label of this file is known to the model"):
        score_on_test(untrained, [RelationText("甲和乙", "甲", "乙", "x", "a.txt:1")])


def test_it_goes_on_with_a_new_relation(trained, tmp_path):
    model, _ = trained
    folder = save_model(model, tmp_path / "model")
    new = [RelationText("甲公司投资乙公司", "甲公司", "乙公司", "投资")]
    begun = go_on(folder, "relation", Split(new, [], []), TrainConfig())
    assert begun.model.labels == (*model.labels, "投资") and begun.model.extra == model.extra
    with torch.no_grad():
        same = torch.equal(begun.model.head.classifier.weight[: len(model.labels)], model.head.classifier.weight)
    assert same


def test_a_temperature_is_fitted(trained):
    assert 0.05 <= fit_temperature(trained[0], toy.related(40, seed=6)) <= 20


@pytest.mark.filterwarnings("ignore::hanlp_tutor.data.notes.DataNotice")
def test_wrong_pairs_are_listed_with_their_markers(untrained):
    pairs = toy.related(30, seed=2)
    wrong = task_named("relation").mistakes(untrained, pairs, Predictor(untrained).predict_many)
    assert len(wrong) == round(30 * (1 - score_on_test(untrained, pairs)["accuracy"])) > 0
    assert [each["score"] for each in wrong] == sorted((each["score"] for each in wrong), reverse=True)
    assert f"{wrong[0]['predicted']}, is {wrong[0]['gold']}\t" in wrong[0]["shown"]
    assert untrained.as_input(wrong[0]["shown"].split("\t")[1]).text == wrong[0]["text"]
    untrained.extra["type_pairs"] = []
    typed = [replace(pair, types=("A", "B")) for pair in pairs if pair.relation != untrained.negative]
    unasked = task_named("relation").mistakes(untrained, typed, Predictor(untrained).predict_many)
    assert {(each["predicted"], each["score"]) for each in unasked} == {(untrained.negative, None)}


def test_the_baseline_reads_marked_sentences():
    split = Split(toy.related(200), [], toy.related(60, seed=1))
    found = measure_baseline("relation", split, ours=lambda judged: [pair.relation for pair in judged])
    assert set(found) >= {"accuracy", "macro_f1", "micro_f1"} and found["micro_f1"] > 0.8
    assert found["lead"]["difference"] == pytest.approx(1 - found["micro_f1"])
