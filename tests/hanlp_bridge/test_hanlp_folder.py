"""Folders from strangers are refused before anything in them runs; good ones become models again."""

import json
import os
import pickle
import shutil
from pathlib import Path

import plain_hanlp
import pytest
import torch
import toy

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
from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.errors import ModelError
from hanlp_tutor.hanlp_bridge.load import check_hanlp
from hanlp_tutor.workbench.add_labels import add_labels

pytestmark = pytest.mark.xdist_group("trained")

TEXTS = [example.text for example in toy.tagged(40, seed=9)]


def found(model, texts=TEXTS):
    predictions = Predictor(model).predict_many(texts)
    return [[(e["text"], e["label"], e["start"], e["end"]) for e in each["entities"]] for each in predictions]


class Trap:
    """Unpickled, it writes a file."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return Path.write_text, (self.mark, "caught")


@pytest.fixture(scope="module")
def sound(small_encoder, tmp_path_factory) -> Path:
    model = build_model("ner", small_encoder, ("O", "B-PER", "I-PER"), TrainConfig())
    return export_hanlp(model, tmp_path_factory.mktemp("sound") / "model")


@pytest.fixture
def folder(sound, tmp_path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(sound, tmp_path / "stranger"))


def edit(path: Path, **values) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def test_a_sound_folder_passes(sound):
    assert check_hanlp(sound)["classpath"].endswith("TransformerNamedEntityRecognizer")


TRAP = {"classpath": "pathlib.Path"}
CONFIGS = {
    "another class": {"classpath": "subprocess.Popen"},
    "another class of HanLP": {"classpath": "hanlp.utils.io_util.run_cmd"},
    "a class behind a module of HanLP": {"classpath": "hanlp.utils.io_util.Popen"},
    "an option": {"embeddings": TRAP},
    "deep in an option": {"transform": [{"transforms": [{"x": TRAP}]}]},
    "under its older name": {"x": {"class_path": "os.system"}},
    "no text": {"classpath": ["os", "system"]},
}


@pytest.mark.parametrize("case", CONFIGS)
def test_class_paths_that_are_not_known(folder, case):
    edit(folder / "config.json", **CONFIGS[case])
    for opened in (check_hanlp, load_hanlp):
        with pytest.raises(ModelError, match="not among those"):
            opened(folder)


def test_plain_hanlp_calls_what_a_folder_names(folder):
    """What the check is for."""
    import hanlp

    edit(folder / "config.json", classpath="os.getpid")
    assert hanlp.load(str(folder)) == os.getpid()
    with pytest.raises(ModelError, match=r"os\.getpid"):
        check_hanlp(folder)


@pytest.mark.parametrize("options", [{"trust_remote_code": True}, {"x": {"transformer_args": {"code_revision": "x"}}},
                                     {"transformer_args": "trust_remote_code"}])  # fmt: skip
def test_code_from_the_hub(folder, options):
    edit(folder / "config.json", **options)
    with pytest.raises(ModelError, match="code from the hub"):
        check_hanlp(folder)


def test_what_hanlp_itself_may_write_there_passes(folder):
    edit(folder / "config.json", transformer_args={"output_hidden_states": False})
    check_hanlp(folder)


@pytest.mark.parametrize("old_format", [False, True])
def test_weights_that_run_code(folder, tmp_path, old_format):
    mark = tmp_path / "mark"
    torch.save({"w": Trap(mark)}, folder / "model.pt", _use_new_zipfile_serialization=not old_format)
    with pytest.raises(ModelError, match=r"pickle|more than tensors"):
        check_hanlp(folder)
    assert not mark.exists()
    (folder / "model.pt").write_bytes(pickle.dumps(Trap(mark)))
    with pytest.raises(ModelError, match="pickle"):
        load_hanlp(folder)
    assert not mark.exists()
    pickle.loads((folder / "model.pt").read_bytes())
    assert mark.read_text() == "caught", "the trap was sharp"


def test_weights_larger_than_their_file(folder):
    torch.save({"w": torch.zeros(1).expand(10**9)}, folder / "model.pt")
    with pytest.raises(ModelError, match="larger than what is stored"):
        check_hanlp(folder)


DAMAGES = {
    "weights of something else": (lambda f: torch.save([torch.zeros(1)], f / "model.pt"), "not weights by name"),
    "half a file": (lambda f: (f / "model.pt").write_bytes((f / "model.pt").read_bytes()[:999]), "bare pickle"),
    "no weights": (lambda f: (f / "model.pt").unlink(), "model.pt is missing"),
    "no config": (lambda f: (f / "config.json").unlink(), "config.json is missing"),
    "no JSON": (lambda f: (f / "config.json").write_text("{"), "not JSON"),
    "a list": (lambda f: (f / "config.json").write_text("[]"), "JSON object"),
    "bottomless": (lambda f: (f / "config.json").write_text('{"a":' * 100_000), "not JSON"),
    "no class": (lambda f: (f / "config.json").write_text("{}"), "names no class"),
    "TensorFlow's": (lambda f: (f / "meta.json").write_text("{}"), "TensorFlow"),
    "a link out": (lambda f: ((f / "vocabs.json").unlink(), (f / "vocabs.json").symlink_to("/etc/passwd")), "a link"),
    "code": (lambda f: edit(f / "transformer" / "config.json", auto_map={"AutoModel": "x.Y"}), "auto_map"),
    "a tokenizer's code": (lambda f: edit(f / "transformer" / "tokenizer_config.json", auto_map={"AutoTokenizer": "x"}),
                           "auto_map"),
    "huge": (lambda f: edit(f / "transformer" / "config.json", num_hidden_layers=10**9), "not plausible"),
    "negative": (lambda f: edit(f / "transformer" / "config.json", hidden_size=-1), "not plausible"),
    "a vocabulary's class": (lambda f: edit(f / "vocabs.json", tag={"idx_to_token": ["O"], "type": "os.system"}),
                             "names the class"),
    "no vocabulary": (lambda f: edit(f / "vocabs.json", tag=3), "no vocabulary"),
    "numbers for labels": (lambda f: edit(f / "vocabs.json", tag={"idx_to_token": [1, 2]}), "list of texts"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGES)
def test_damaged_folders(folder, case):
    damage, words = DAMAGES[case]
    damage(folder)
    with pytest.raises(ModelError, match=words) as caught:
        load_hanlp(folder)
    assert str(folder) in str(caught.value), "it says where"


@pytest.mark.parametrize("kind", ["bert", "unheard-of"])
def test_the_kits_own_folder_runs_no_code_either(sound, tmp_path, monkeypatch, kind):
    """A folder may bring classes of its own; transformers would ask the user whether to run them."""
    save_model(load_hanlp(sound), tmp_path / "model")
    mark = tmp_path / "mark"
    code = f"open({str(mark)!r}, 'w')\nfrom transformers import BertConfig, BertModel\n"
    (tmp_path / "model" / "transformer" / "own.py").write_text(code + "class C(BertConfig): pass\n")
    own = {"AutoConfig": "own.C", "AutoModel": "own.BertModel", "AutoTokenizer": ["own.C", None]}
    for name in ("config.json", "tokenizer_config.json"):
        edit(tmp_path / "model" / "transformer" / name, model_type=kind, auto_map=own)
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    try:
        load_model(tmp_path / "model")
    except ModelError:
        assert kind == "unheard-of"
    assert not mark.exists()


MISFITS = {
    "another kind": (lambda f: edit(f / "config.json", classpath="hanlp.components.mtl.multi_task_learning."
                                    "MultiTaskLearning"), "a MultiTaskLearning"),
    "options": (lambda f: edit(f / "config.json", scalar_mix=1), "scalar_mix"),
    "other tags": (lambda f: edit(f / "vocabs.json", tag={"idx_to_token": ["NN", "O", "VV"]}), "not the tags"),
    "no O": (lambda f: edit(f / "vocabs.json", tag={"idx_to_token": ["B-A", "I-A", "B-B"]}), "O is missing"),
    "twice": (lambda f: edit(f / "vocabs.json", tag={"idx_to_token": ["O", "O", "B-A"]}), "each different"),
    "too few": (lambda f: edit(f / "vocabs.json", tag={"idx_to_token": ["O", "B-A"]}), r"\(3, 64\).*\(2, 64\)"),
    "no settings": (lambda f: (f / "transformer" / "tokenizer_config.json").unlink(), "settings are lost"),
    "no encoder": (lambda f: (f / "transformer" / "config.json").unlink(), "no encoder|is missing"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISFITS)
def test_folders_that_are_no_model_of_ours(folder, case):
    change, words = MISFITS[case]
    change(folder)
    with pytest.raises(ModelError, match=words):
        load_hanlp(folder)


def test_frozen_layers_that_hanlp_left_out_are_noticed(folder):
    weights = torch.load(folder / "model.pt", weights_only=True)
    torch.save({name: tensor for name, tensor in weights.items() if "embeddings" not in name}, folder / "model.pt")
    with pytest.raises(ModelError, match="leaves out frozen layers"):
        load_hanlp(folder)


@pytest.mark.parametrize("name", ["../elsewhere", "/elsewhere", "tests", 3, None])
def test_an_encoder_outside_the_folder_is_asked_for(folder, tmp_path, monkeypatch, name):
    """``tests`` could be a name of the hub, but is a folder where the program runs."""
    shutil.move(folder / "transformer", tmp_path / "tests")
    monkeypatch.chdir(tmp_path)
    edit(folder / "config.json", transformer=name)
    with pytest.raises(ModelError, match="outside the folder"):
        load_hanlp(folder)
    assert load_hanlp(folder, transformer=str(tmp_path / "tests")).labels == ("O", "B-PER", "I-PER")


@pytest.fixture(scope="module")
def opened(toy_model, small_encoder, tmp_path_factory):
    """Models that went to HanLP's format, to another place, and back."""
    base = tmp_path_factory.mktemp("opened")
    crf = build_model("ner", small_encoder, toy_model.labels, TrainConfig(crf=True))
    classify = build_model("classify", small_encoder, ("好", "坏"), TrainConfig())
    models = {"ner": toy_model, "crf": crf, "classify": classify}
    for name, model in models.items():
        export_hanlp(model, base / "first" / name)
    shutil.move(base / "first", base / "second")
    return {name: (model, load_hanlp(base / "second" / name)) for name, model in models.items()}


@pytest.mark.parametrize("name", ["ner", "crf", "classify"])
def test_there_and_back(opened, name):
    before, after = opened[name]
    assert (after.task, after.labels, after.crf) == (before.task, before.labels, before.crf)
    assert after.encoder_name == before.encoder_name, "the default learning rate hangs on it"
    weights = before.state_dict()
    assert weights.keys() == after.state_dict().keys()
    assert all(torch.equal(weights[key], value) for key, value in after.state_dict().items())
    assert after.tokenizer(TEXTS)["input_ids"] == before.tokenizer(TEXTS)["input_ids"]


def times(count: int, seed: int) -> list[TaggedText]:
    """Toy sentences with a new type of entity behind them."""
    return [
        TaggedText.from_spans(e.text + "今年春天", [*e.spans, Span(len(e.text), len(e.text) + 4, "TIME")])
        for e in toy.tagged(count, seed=seed)
    ]


def test_a_folder_learns_a_new_label_and_goes_back_to_hanlp(opened, tmp_path):
    model = add_labels(opened["ner"][1], ["TIME"])
    config = TrainConfig(epochs=8, batch_size=16, lr=3e-3, head_lr=1e-2, dropout=0.0)
    fine_tune(model, times(200, 21), [], config, tmp_path / "run", progress="none")
    scores = evaluate_model(model, times(60, 22))
    assert scores["per_type"]["TIME"]["f1"] > 0.5 and scores["per_type"]["PER"]["f1"] > 0.5
    texts = [e.text for e in times(30, 23)]
    out = export_hanlp(model, tmp_path / "wider")
    [plain] = plain_hanlp.ask([{"folder": str(out), "inputs": [list(text) for text in texts]}])
    assert [[tuple(span) for span in row] for row in plain["predictions"]] == found(model, texts)
    assert any(label == "TIME" for row in found(model, texts) for _, label, _, _ in row)
