"""ONNX folders: the kit's own answers without torch, whole or refused."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torchcrf import CRF

from hanlp_tutor import (
    ConfigError,
    Predictor,
    TrainConfig,
    build_model,
    evaluate_model,
    load_corpus,
    save_model,
)
from hanlp_tutor.core.crf import marginals as marginals_of_torch
from hanlp_tutor.core.task import label_set
from hanlp_tutor.errors import InputError, ModelError
from hanlp_tutor.serving import crf as numpy_crf

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra `serve` is not installed")
pytestmark = pytest.mark.xdist_group("onnx")

from hanlp_tutor.serving.onnx_export import export_onnx  # noqa: E402
from hanlp_tutor.serving.onnx_predictor import OnnxPredictor  # noqa: E402
from hanlp_tutor.serving.onnx_scores import score_onnx  # noqa: E402

NEWS = load_corpus("peoples_daily").test[:500]
REVIEWS = load_corpus("reviews").test[:500]
EXAMPLES = {"ner": NEWS, "ner without a CRF": NEWS, "classify": REVIEWS}


@pytest.fixture(scope="module", params=EXAMPLES)
def exported(request, small_encoder, tmp_path_factory):
    """A model that says something else everywhere, its ONNX folder, and examples of its task."""
    task, examples = request.param.split()[0], EXAMPLES[request.param]
    options = {} if task == "classify" else {"crf": request.param == "ner"}
    model = build_model(task, small_encoder, label_set(task, examples), TrainConfig(**options))
    torch.manual_seed(0)
    for parameter in model.head.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    model.temperature = 1.7
    return model.eval(), export_onnx(model, tmp_path_factory.mktemp("onnx") / "model"), examples


def without_scores(answers):
    return [
        {**answer, "entities": [{**e, "score": 0} for e in answer["entities"]]}
        if "entities" in answer
        else answer["label"]
        for answer in answers
    ]


def scores(answers):
    return [e["score"] for answer in answers for e in answer.get("entities", [answer])]


def test_the_same_answers_on_real_texts(exported):
    model, folder, examples = exported
    texts = [example.text for example in examples]
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
    ours, theirs = Predictor(model).predict_many(texts), OnnxPredictor(folder).predict_many(texts)
    assert without_scores(ours) == without_scores(theirs)
    assert np.allclose(scores(ours), scores(theirs), atol=1e-3)


def test_the_same_scores_on_labelled_examples(exported):
    model, folder, examples = exported
    expected = evaluate_model(model, examples)
    found = score_onnx(OnnxPredictor(folder), examples)
    assert found == {name: value for name, value in expected.items() if name in found} and len(found) >= 4


def test_texts_that_are_none_are_refused(exported):
    _, folder, _ = exported
    predictor = OnnxPredictor(folder)
    for wrong in (b"bytes", ["list"], 3, None):
        with pytest.raises(InputError, match="predict takes one text"):
            predictor.predict(wrong)
    assert predictor.predict_many([]) == []


def test_an_answer_needs_neither_torch_nor_transformers(exported):
    _, folder, examples = exported
    program = (
        "import sys\nfrom hanlp_tutor.serving.onnx_predictor import OnnxPredictor\n"
        f"print(OnnxPredictor({str(folder)!r}).predict({examples[0].text!r}))\n"
        "print({'torch', 'transformers', 'hanlp'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8")
    assert done.stdout.rstrip().endswith("set()"), done.stderr


def test_int8_is_written_only_where_the_labels_stay(exported, tmp_path: Path, monkeypatch):
    model, _, examples = exported
    texts = [example.text for example in examples[:50]]
    monkeypatch.setattr("hanlp_tutor.serving.onnx_export.LEAST_AGREEMENT", 0.5)
    folder = export_onnx(model, tmp_path / "small", int8=texts)
    card = json.loads((folder / "onnx.json").read_text(encoding="utf-8"))
    assert card["numbers"] == "int8" and card["agreement"]["same"] >= 0.5
    sizes = [(each / "model.onnx").stat().st_size for each in (folder, exported[1])]
    assert sizes[0] < 0.6 * sizes[1]
    assert len(OnnxPredictor(folder).predict_many(texts)) == 50
    monkeypatch.setattr("hanlp_tutor.serving.onnx_export.LEAST_AGREEMENT", 1.01)
    with pytest.raises(ModelError, match=r"with int8 only .* of .* labels stay .* nothing was written.*without --int8"):
        export_onnx(model, tmp_path / "none", int8=texts)
    assert not (tmp_path / "none").exists()
    with pytest.raises(ModelError, match="Name a file of texts"):
        export_onnx(model, tmp_path / "none", int8=[])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "onnx.json").unlink(), "no ONNX folder.*export MODEL"),
        (lambda folder: (folder / "onnx.json").write_text("{"), "cannot be read.*Export the model again"),
        (lambda folder: (folder / "head.npz").unlink(), "head.npz is missing"),
        (lambda folder: (folder / "model.onnx").write_bytes(b"x"), "model.onnx is damaged or was changed"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "tokenizer.json is damaged"),
        (lambda folder: amend(folder, format=99), "newer version of the kit"),
        (lambda folder: amend(folder, task="parsing"), "'parsing' is unknown here"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(exported, tmp_path: Path, spoil, message):
    folder = Path(shutil.copytree(exported[1], tmp_path / "copy"))
    spoil(folder)
    with pytest.raises(ModelError, match=message):
        OnnxPredictor(folder)


def amend(folder: Path, **values) -> None:
    path = folder / "onnx.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


def test_a_graph_that_answers_otherwise_is_not_written(exported, tmp_path: Path, monkeypatch):
    model, _, _ = exported
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
    model.task = "multitask"
    with pytest.raises(ConfigError, match=r"only taggers and classifiers can.*Export it to HanLP"):
        export_onnx(model, tmp_path / "new")


def test_on_the_command_line(exported, tmp_path: Path):
    model, _, examples = exported
    saved = save_model(model, tmp_path / "model")

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "hanlp_tutor.cli", *map(str, arguments)], capture_output=True, encoding="utf-8"
        )

    done = run("export", saved, tmp_path / "onnx", "--to", "onnx", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["numbers"] == "float32"
    text = examples[0].text
    answers = [json.loads(run("predict", each, text, "--json").stdout) for each in (saved, tmp_path / "onnx")]
    assert without_scores(answers[:1]) == without_scores(answers[1:])
    wrong = run("export", saved, tmp_path / "hanlp", "--to", "hanlp", "--int8")
    assert wrong.returncode == 2 and "--int8 belongs to --to onnx" in wrong.stderr


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
