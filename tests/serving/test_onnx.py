"""ONNX folders: the kit's own answers without torch, whole or refused."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torchcrf import CRF

from hanlp_tutor import (
    ConfigError,
    Predictor,
    TrainConfig,
    build_model,
    load_corpus,
    save_model,
)
from hanlp_tutor.cli import app
from hanlp_tutor.core.crf import marginals as marginals_of_torch
from hanlp_tutor.core.evaluate import score_on_test
from hanlp_tutor.core.model import TaggingModel
from hanlp_tutor.core.task import label_set, task_named
from hanlp_tutor.corpora.peoples_daily import word_tasks
from hanlp_tutor.data.relations import RelationText, write_relations
from hanlp_tutor.data.schemes import tags_of
from hanlp_tutor.encoders import load_encoder
from hanlp_tutor.errors import InputError, ModelError
from hanlp_tutor.serving import crf as numpy_crf

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra `serve` is not installed")
pytestmark = pytest.mark.xdist_group("onnx")

from hanlp_tutor.serving.onnx_export import export_onnx  # noqa: E402
from hanlp_tutor.serving.onnx_predictor import OnnxPredictor  # noqa: E402
from hanlp_tutor.serving.onnx_scores import score_onnx  # noqa: E402

NEWS = load_corpus("peoples_daily").test[:500]
REVIEWS = load_corpus("reviews").test[:500]
PAIRS = load_corpus("clinic", task="relation", size=5000).test[:500]
EXAMPLES = {
    "ner": NEWS,
    "ner without a CRF": NEWS,
    "ner in BMES": NEWS,
    "classify": REVIEWS,
    "relation": PAIRS,
    "multitask": word_tasks(NEWS[:300]),
}


def random_model(kind, encoder):
    """A model that says something else everywhere."""
    task, examples = kind.split()[0], EXAMPLES[kind]
    labels = label_set(task, examples)
    if kind == "ner in BMES":
        native = ["O", *(tag for name in ("PER", "LOC", "ORG") for tag in tags_of(name, "BMES"))]
        model = TaggingModel(load_encoder(encoder), labels, crf=True, native=native)
    else:
        options = {} if task in ("classify", "relation") else {"crf": "without" not in kind}
        model = build_model(task, encoder, labels, TrainConfig(**options))
    torch.manual_seed(0)
    for parameter in model.head.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    model.temperature = 1.7
    task_named(task).prepare(model, examples)
    return model.eval()


@pytest.fixture(scope="module", params=EXAMPLES)
def exported(request, small_encoder, tmp_path_factory):
    """A model, its ONNX folder, and examples of its task."""
    model = random_model(request.param, small_encoder)
    return model, export_onnx(model, tmp_path_factory.mktemp("onnx") / "model"), EXAMPLES[request.param]


@pytest.fixture(scope="module")
def folder_of_a_tagger(small_encoder, tmp_path_factory):
    return export_onnx(random_model("ner", small_encoder), tmp_path_factory.mktemp("tagger") / "model")


def inputs_of(model, examples):
    """What a predictor takes."""
    return list(examples) if model.task == "relation" else [example.text for example in examples]


def a_pair_of(text):
    """The first and the last characters that are seen, as an entity each; none of a text without two."""
    seen = [place for place, character in enumerate(text) if character.strip()]
    if len(seen) < 2:
        return []
    first, last = seen[0], seen[-1]
    return [{"head": text[first], "tail": text[last], "text": text, "starts": (first, last)}]


def without_scores(answers):
    if isinstance(answers, dict):
        return {name: without_scores(value) for name, value in answers.items() if name != "score"}
    return [*map(without_scores, answers)] if isinstance(answers, list) else answers


def scores(answers):
    if isinstance(answers, dict):
        rest = [each for name, value in answers.items() if name != "score" for each in scores(value)]
        return [*([answers["score"]] if "score" in answers else []), *rest]
    return [each for value in answers for each in scores(value)] if isinstance(answers, list) else []


def test_the_same_answers_on_real_texts(exported):
    model, folder, examples = exported
    texts = inputs_of(model, examples)
    ours, theirs = Predictor(model).predict_many(texts), OnnxPredictor(folder).predict_many(texts)
    assert without_scores(ours) == without_scores(theirs)
    assert len(scores(ours)) >= 500
    assert np.allclose(scores(ours), scores(theirs), atol=1e-4)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=()), max_size=40), max_size=4),
    times=st.sampled_from([1, 60]),
)
def test_the_same_answers_on_any_text(exported, texts, times):
    """Lone surrogates, controls, emoji, blanks; also longer than a window."""
    model, folder, _ = exported
    texts = [text * times for text in texts]
    if model.task == "relation":
        texts = [pair for text in texts for pair in a_pair_of(text)]
    ours, theirs = Predictor(model).predict_many(texts), OnnxPredictor(folder).predict_many(texts)
    assert without_scores(ours) == without_scores(theirs)
    assert np.allclose(scores(ours), scores(theirs), atol=1e-3)


def test_the_same_scores_on_labelled_examples(exported):
    model, folder, examples = exported
    found = score_onnx(OnnxPredictor(folder), examples)
    assert found == score_on_test(model, examples) and len(found) >= 3


def test_the_runtime_is_told_to_report_nothing(folder_of_a_tagger, monkeypatch):
    import onnxruntime

    told = []
    monkeypatch.setattr(onnxruntime, "disable_telemetry_events", lambda: told.append(True))
    OnnxPredictor(folder_of_a_tagger)
    assert told


def test_texts_that_are_none_are_refused(folder_of_a_tagger):
    predictor = OnnxPredictor(folder_of_a_tagger)
    for wrong in (b"bytes", ["list"], 3, None):
        with pytest.raises(InputError, match="predict takes one text"):
            predictor.predict(wrong)
    assert predictor.predict_many([]) == []


def test_an_answer_needs_neither_torch_nor_transformers(exported):
    model, folder, examples = exported
    pair = {name: getattr(examples[0], name, "") for name in ("head", "tail", "text")}
    text = pair if model.task == "relation" else examples[0].text
    program = (
        "import sys\nfrom hanlp_tutor.serving.onnx_predictor import OnnxPredictor\n"
        f"print(OnnxPredictor({str(folder)!r}).predict({text!r}))\n"
        "print({'torch', 'transformers', 'hanlp'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8")
    assert done.stdout.rstrip().endswith("set()"), done.stderr


def test_int8_is_written_only_where_the_labels_stay(exported, tmp_path: Path, monkeypatch):
    model, _, examples = exported
    texts = inputs_of(model, examples[:50])
    monkeypatch.setattr("hanlp_tutor.serving.onnx_export.LEAST_AGREEMENT", 0.3)
    folder = export_onnx(model, tmp_path / "small", int8=texts)
    card = json.loads((folder / "onnx.json").read_text(encoding="utf-8"))
    assert card["numbers"] == "int8" and card["agreement"]["same"] >= 0.3
    sizes = [(each / "model.onnx").stat().st_size for each in (folder, exported[1])]
    assert sizes[0] < 0.6 * sizes[1]
    assert len(OnnxPredictor(folder).predict_many(texts)) == 50
    if model.task == "multitask":
        assert card["agreement"]["labels"] == 3 * sum(map(len, texts)), "of each task one for each character"


def test_int8_that_says_something_else_is_not_written(small_encoder, tmp_path: Path, monkeypatch):
    model = random_model("classify", small_encoder)
    monkeypatch.setattr("hanlp_tutor.serving.onnx_export.LEAST_AGREEMENT", 1.01)
    with pytest.raises(ModelError, match=r"with int8 only .* of .* labels stay .* nothing was written.*without --int8"):
        export_onnx(model, tmp_path / "none", int8=[example.text for example in REVIEWS[:50]])
    assert not (tmp_path / "none").exists()
    with pytest.raises(ModelError, match="Name a file of texts"):
        export_onnx(model, tmp_path / "none", int8=[])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "onnx.json").unlink(), "onnx.json is missing. Copy the whole folder"),
        (lambda at: [(at / name).unlink() for name in ("onnx.json", "model.onnx")], "no ONNX folder.*export MODEL"),
        (lambda folder: (folder / "onnx.json").write_text("{"), "cannot be read.*Export the model again"),
        (lambda folder: (folder / "head.npz").unlink(), "head.npz is missing"),
        (lambda folder: (folder / "model.onnx").write_bytes(b"x"), "model.onnx is damaged or was changed"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "tokenizer.json is damaged"),
        (lambda folder: amend(folder, format=99), "newer version of the kit"),
        (lambda folder: amend(folder, task="parsing"), "'parsing' is unknown here"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(folder_of_a_tagger, tmp_path: Path, spoil, message):
    folder = Path(shutil.copytree(folder_of_a_tagger, tmp_path / "copy"))
    spoil(folder)
    with pytest.raises(ModelError, match=message):
        OnnxPredictor(folder)


def amend(folder: Path, **values) -> None:
    path = folder / "onnx.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


def test_a_graph_that_answers_otherwise_is_not_written(small_encoder, tmp_path: Path, monkeypatch):
    model = random_model("classify", small_encoder)
    monkeypatch.setattr(
        OnnxPredictor, "predict_many", lambda self, texts: [{"label": "x", "score": 0.0} for _ in texts]
    )
    with pytest.raises(ModelError, match="nothing was written"):
        export_onnx(model, tmp_path / "wrong")
    assert not (tmp_path / "wrong").exists()


def test_what_cannot_be_exported_says_why(small_encoder, tmp_path: Path):
    model = build_model("ner", small_encoder, ("O", "B-X", "I-X"), TrainConfig())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(ModelError, match="is no earlier ONNX folder"):
        export_onnx(model, tmp_path / "other")
    assert (tmp_path / "other" / "thesis.txt").exists()
    model.task = "parsing"
    with pytest.raises(ConfigError, match=r"only models of ner, classify, relation, multitask can.*the task parsing"):
        export_onnx(model, tmp_path / "new")
    model = build_model("multitask", small_encoder, ("pos/NN", "pos/VV"), TrainConfig())
    with pytest.raises(ConfigError, match=r"no words in a raw text\. Train it with tok too"):
        export_onnx(model, tmp_path / "new")


def run(*arguments, stdin=None):
    return CliRunner().invoke(app, [str(each) for each in arguments], input=stdin)


def test_on_the_command_line(exported, tmp_path: Path):
    model, _, examples = exported
    saved = save_model(model, tmp_path / "model")
    done = run("export", saved, tmp_path / "onnx", "--to", "onnx", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["numbers"] == "float32"
    first = examples[0]
    pair = model.task == "relation"
    text = json.dumps({"head": first.head, "tail": first.tail, "text": first.text}) if pair else first.text
    answers = [json.loads(run("predict", each, text, "--json").stdout) for each in (saved, tmp_path / "onnx")]
    assert without_scores(answers[0]) == without_scores(answers[1])
    wrong = run("export", saved, tmp_path / "hanlp", "--to", "hanlp", "--int8")
    assert wrong.exit_code == 2 and "--int8 belongs to --to onnx" in wrong.stderr


# --- relations --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def related(small_encoder, tmp_path_factory):
    """A model of relations, its own folder, and its ONNX folder."""
    model = random_model("relation", small_encoder)
    out = tmp_path_factory.mktemp("relations")
    return model, save_model(model, out / "model"), export_onnx(model, out / "onnx")


PAIR = {"head": "阿司匹林", "tail": "头痛", "text": "头痛，予阿司匹林口服。"}


def test_every_way_to_give_a_pair(related):
    model, _, folder = related
    predictor, answer = OnnxPredictor(folder), Predictor(model).predict(PAIR)
    example = RelationText(PAIR["text"], PAIR["head"], PAIR["tail"], "whatever")
    tabs = "\t".join(PAIR.values())
    given = [PAIR, tuple(PAIR.values()), example, json.dumps(PAIR), tabs, model.marked(example)]
    found = predictor.predict_many(given)
    assert found == [pytest.approx(answer, abs=1e-4)] * len(given)
    assert predictor.predict(PAIR) == pytest.approx(found[0], abs=1e-6)  # a batch may be added up in another order
    for wrong in ("头痛", {**PAIR, "head": "布洛芬"}, None, 7):
        with pytest.raises(InputError) as expected:
            Predictor(model).predict(wrong)
        with pytest.raises(InputError, match=re.escape(str(expected.value))):
            predictor.predict(wrong)
    with pytest.raises(InputError, match="takes a list of texts; this is of type dict"):
        predictor.predict_many(PAIR)


@pytest.mark.parametrize("places", [(0, 0), (700, 0), (1500, 0), (3, 1500), (0, 506), (0, 501)])
def test_of_a_long_text_the_same_part_is_read(related, places):
    before, between = places
    text = "今" * before + "头痛" + "明" * between + "予阿司匹林" + "后" * 300
    pair = {**PAIR, "text": text}
    ours, theirs = Predictor(related[0]).predict(pair), OnnxPredictor(related[2]).predict(pair)
    assert ours == pytest.approx(theirs, abs=1e-4) and ours.get("cut", False) == (len(text) + 4 > 510)


def test_relations_on_the_command_line(related, tmp_path: Path):
    _, saved, folder = related
    lines = [json.dumps(PAIR), "\t".join(PAIR.values())]
    file, labelled, stream = (tmp_path / name for name in ("a.txt", "b.txt", "c.jsonl"))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_relations(labelled, PAIRS[:60])
    stream.write_text("".join(line + "\n" for line in lines[:1] * 3), encoding="utf-8")
    answers = []
    for each in (saved, folder):
        found = [
            run("predict", each, "--json", stdin="\n".join(lines) + "\n").stdout,
            run("predict", each, "--file", file, "--json").stdout,
            run("predict", each, lines[1]).stdout.split("\t")[::2][0],
            run("evaluate", each, labelled, "--json").stdout,
        ]
        done = run("predict", each, "--in", stream, "--out", tmp_path / "out.jsonl")
        assert done.exit_code == 0, done.output
        found.append((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
        answers.append([re.sub(r'"score": [\d.e-]+', "", each) for each in found])
    assert answers[0] == answers[1] and all(answers[0])
    wrong = run("predict", folder, stdin="甲\t乙\t甲乙\n甲乙\n")
    assert wrong.exit_code == 2 and "standard input, line 2: a pair is head, tail and text" in wrong.stderr


def test_int8_of_relations_is_compared_on_pairs(related, tmp_path: Path, monkeypatch):
    _, saved, _ = related
    monkeypatch.setattr("hanlp_tutor.serving.onnx_export.LEAST_AGREEMENT", 0.0)
    write_relations(tmp_path / "pairs.txt", PAIRS[:40])
    done = run("export", saved, tmp_path / "own", "--to", "onnx", "--int8", "--texts", tmp_path / "pairs.txt", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["agreement"]["labels"] == 40
    asked = []

    def instead(model, folder, int8):
        asked.extend(int8)
        return tmp_path / "own"

    monkeypatch.setattr("hanlp_tutor.serving.onnx_export.export_onnx", instead)
    done = run("export", saved, tmp_path / "kits", "--to", "onnx", "--int8")
    assert done.exit_code == 0 and "compared on 500 pairs of the corpus clinic; name yours with --texts" in done.stderr
    assert len(asked) == 500 and isinstance(asked[0], RelationText)


def test_what_reads_pairs_and_words_needs_no_torch():
    program = (
        "import sys, hanlp_tutor.relations.reading, hanlp_tutor.data.word_pieces, hanlp_tutor.serving.onnx_tasks\n"
        "print({'torch', 'transformers', 'hanlp'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8")
    assert done.stdout.strip() == "set()", done.stderr


# --- the CRF ----------------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
    temperature=st.sampled_from([1.0, 0.3, 4.0]),
)
def test_the_crf_in_numpy_is_that_of_torch(lengths, seed, temperature):
    torch.manual_seed(seed)
    layer = CRF(4, batch_first=True).double()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=3.0)
    emissions = 3 * torch.randn(len(lengths), max(lengths), 4, dtype=torch.float64)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    parts = (layer.start_transitions, layer.transitions, layer.end_transitions)
    crf = numpy_crf.Transitions(*(part.detach().numpy() for part in parts))
    assert numpy_crf.best_tags(crf, emissions.numpy(), lengths) == layer.decode(emissions, mask)
    expected = marginals_of_torch(layer, emissions, lengths, temperature).numpy()
    found = numpy_crf.marginals(crf, emissions.numpy(), lengths, temperature)
    for row, length in enumerate(lengths):
        assert np.allclose(found[row, :length], expected[row, :length], atol=1e-9)
