"""What is chosen where nothing is given: by properties, with a reason; the same for the same weights by any name."""

import json

import pytest
import torch
from tiny_encoders import tiny, write_encoder
from toy import tagged, write_split
from transformers import BertConfig, BertModel

from hanlp_tutor import TrainConfig, fine_tune
from hanlp_tutor.cli import app
from hanlp_tutor.core.model_folder import build_model, load_model, save_model
from hanlp_tutor.core.optim import encoder_lr
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import Split
from hanlp_tutor.defaults import choose, described, needs_crf, settled
from hanlp_tutor.defaults import encoder_lr as suited
from hanlp_tutor.encoders import suggested_lr
from hanlp_tutor.encoders.embedded import load_masked_lm, read_card, save_masked_lm
from hanlp_tutor.encoders.layers import size
from hanlp_tutor.encoders.mini import EMBEDDED
from hanlp_tutor.teach.setup import setup
from hanlp_tutor.workbench.job import train_job

LABELS = ("O", "B-PER", "I-PER")


def test_the_numbers_that_stored_results_were_made_with():
    embedded = size(build_model("ner", "random:mini-bert", LABELS, TrainConfig()).encoder)
    assert suited(embedded, pretrained=True).value == 3e-4
    assert suited(embedded, pretrained=False).value == 1e-3
    for name in EMBEDDED:
        assert suggested_lr(name) == 3e-4 and suggested_lr(f"random:{name}") == 1e-3
    with torch.device("meta"):
        base = size(BertModel(BertConfig(vocab_size=21128)))
    assert 101e6 < base < 103e6 and suited(base, pretrained=True).value == 2e-5
    assert suited(base, pretrained=False).value == 1e-3
    assert suggested_lr("bert-base-chinese") == 2e-5, "not on this machine: as the article's"


@pytest.mark.parametrize(
    ("parameters", "lr"),
    [(100_000, 3e-4), (12e6, 3e-4), (20e6, 3e-4), (38e6, 1e-4), (60e6, 2e-5), (110e6, 2e-5), (330e6, 2e-5)],
)
def test_the_smaller_the_faster_and_each_with_its_reason(parameters, lr):
    choice = suited(int(parameters), pretrained=True)
    assert choice.value == lr and f"{parameters / 1e6:.1f} million parameters" in choice.because


def test_the_same_weights_by_name_and_from_a_folder(tmp_path):
    """What ``pretrain`` writes is such a folder."""
    save_masked_lm(load_masked_lm("mini-bert"), read_card("mini-bert"), tmp_path / "encoder")
    folder = str(tmp_path / "encoder")
    rates = [
        encoder_lr(build_model("ner", name, LABELS, TrainConfig()), TrainConfig()) for name in ("mini-bert", folder)
    ]
    assert rates == [3e-4, 3e-4] and suggested_lr(folder) == 3e-4 and suggested_lr(f"random:{folder}") == 1e-3
    saved = save_model(build_model("ner", folder, LABELS, TrainConfig()), tmp_path / "model")
    assert encoder_lr(load_model(saved), TrainConfig()) == 3e-4


def test_a_run_of_them_comes_to_the_same_weights(tmp_path):
    save_masked_lm(load_masked_lm("mini-bert"), read_card("mini-bert"), tmp_path / "encoder")
    config, examples = TrainConfig(epochs=1, batch_size=4), tagged(8, longest=12)
    trained = []
    for number, name in enumerate(("mini-bert", str(tmp_path / "encoder"))):
        model = build_model("ner", name, label_set("ner", examples), config)
        fine_tune(model, examples, [], config, tmp_path / str(number), progress="none")
        trained.append({n: p for n, p in model.named_parameters() if ".pooler." not in n})  # which nobody reads
    assert all(torch.equal(trained[0][name], trained[1][name]) for name in trained[0])


def test_shared_layers_do_not_make_an_encoder_small(tmp_path):
    """ALBERT-base has 12 million weights, and computes with them twelve times."""
    with torch.device("meta"):
        shape = {"embedding_size": 128, "hidden_size": 768, "num_hidden_layers": 12, "intermediate_size": 3072}
        base = tiny("albert", 21128, num_attention_heads=12, **shape)
    assert sum(p.numel() for p in base.parameters()) < 13e6 and suited(size(base), pretrained=True).value == 2e-5


SMALL = {"parameters": 4_300_000, "pretrained": True}


def values(config, **properties):
    return {name: choice.value for name, choice in choose(config, **properties).items()}


def test_a_small_pretrained_encoder_gets_options_of_its_own():
    tagger = {"lr": 3e-4, "head_lr": 3e-2, "batch_size": 16, "crf": True}
    assert values(TrainConfig(), **SMALL, task="ner", crf=True, examples=500) == {**tagger, "epochs": 20, "patience": 5}
    assert values(TrainConfig(), **SMALL, task="ner", crf=True, examples=1_100)["epochs"] == 15
    assert values(TrainConfig(crf=False), **SMALL, task="ner", examples=500)["head_lr"] == 1e-2
    large = values(TrainConfig(), **SMALL, task="classify", examples=20_000)
    assert large == {"lr": 3e-4, "head_lr": 1e-3, "batch_size": 16, "epochs": 10, "patience": 3}


@pytest.mark.parametrize(
    ("properties", "lr"),
    [
        ({**SMALL, "pretrained": False, "task": "ner"}, 1e-3),
        ({"parameters": 102_000_000, "pretrained": True, "task": "ner"}, 2e-5),
        ({"parameters": 29_000_000, "pretrained": True, "task": "classify"}, 1e-4),
        ({**SMALL, "task": "multitask"}, 3e-4),
    ],
)
def test_for_others_the_articles_values_hold(properties, lr):
    assert values(TrainConfig(), **properties, examples=500) == {"lr": lr}
    assert needs_crf(TrainConfig(), **properties) is None


def test_what_is_given_holds():
    given = TrainConfig(lr=1e-5, epochs=2, batch_size=32, head_lr=1e-3, crf=False)
    assert choose(given, **SMALL, task="ner", examples=500) == {}, "an interval of looks goes with the epochs: patience"
    assert "patience" not in choose(TrainConfig(eval_steps=50), **SMALL, task="ner", examples=500)
    assert needs_crf(given, **SMALL, task="ner") is None
    assert needs_crf(TrainConfig(class_weights="balanced"), **SMALL, task="ner") is None
    assert needs_crf(TrainConfig(), **SMALL, task="ner").value is True


def test_a_chosen_option_still_counts_as_not_given():
    settled_ = settled(TrainConfig(epochs=3), choose(TrainConfig(epochs=3), **SMALL, task="ner", crf=True, examples=9))
    assert (settled_.epochs, settled_.batch_size, settled_.head_lr, settled_.lr) == (3, 16, 3e-2, None)
    assert settled_.model_fields_set == {"epochs"} and settled_.replace(seed=2) == TrainConfig(epochs=3, seed=2)


def test_the_manifest_says_what_holds_and_why():
    given = TrainConfig(lr=1e-5, epochs=2)
    assert described(given, {}, False, 0.1) == {"config": given.model_dump(), "given": {"epochs": 2, "lr": 1e-5},
                                                "chosen": {}}  # fmt: skip
    none = TrainConfig(lr=None)
    choices = choose(none, **SMALL, task="ner", crf=True, examples=1_600)
    found = described(settled(none, choices), choices, True, 0.2)
    own = {"lr": 3e-4, "head_lr": 3e-2, "batch_size": 16, "epochs": 10, "patience": 3, "crf": True}
    assert found["config"] == {**none.model_dump(), **own, "dropout": 0.2} and found["given"] == {}
    because = found["chosen"].pop("because")
    assert found["chosen"] == own and because.keys() == own.keys()
    assert all("4.3 million" in because[name] for name in own.keys() - {"patience"}) and "1,600" in because["epochs"]


def test_python_and_notebooks_choose_alike(tmp_path):
    lesson = setup("00_start_here", {"epochs": 1}, {})
    examples, manifests = tagged(8, longest=12), []
    for number, config in enumerate((lesson.config, TrainConfig(epochs=1))):
        model = build_model("ner", "mini-bert", label_set("ner", examples), config)
        assert model.crf
        fine_tune(model, examples, [], config, tmp_path / str(number), progress="none")
        manifests.append(json.loads((tmp_path / str(number) / "manifest.json").read_text(encoding="utf-8")))
    assert manifests[0]["config"] == manifests[1]["config"] and manifests[0]["chosen"] == manifests[1]["chosen"]
    assert manifests[0]["config"]["batch_size"] == 16 and manifests[0]["config"]["head_lr"] == 3e-2


def test_a_run_that_was_begun_with_other_defaults_goes_on_with_them(tmp_path):
    """As one of an earlier version: only the learning rate was chosen there."""
    split = Split(tagged(12, longest=12), tagged(4, seed=1, longest=12), [])
    earlier = TrainConfig(epochs=4, batch_size=4, head_lr=1e-3, crf=False, patience=3, checkpoint_steps=1, eval_steps=2)
    whole = train_job("ner", split, "mini-bert", earlier, tmp_path / "whole", progress="none")
    out = tmp_path / "broken off"
    model = build_model("ner", "mini-bert", label_set("ner", split.train), earlier)

    def stop(run):
        run.report = lambda: (_ for _ in ()).throw(KeyboardInterrupt)

    with pytest.raises(KeyboardInterrupt):
        fine_tune(model, split.train, split.dev, earlier, out, progress="none", on_start=stop)
    now = TrainConfig(checkpoint_steps=1, eval_steps=2)
    resumed = train_job("ner", split, "mini-bert", now, out, resume=True, progress="none")
    assert resumed["best_dev"] == whole["best_dev"] and resumed["test"] == whole["test"]
    a, b = (load_model(folder / "model").state_dict() for folder in (tmp_path / "whole", out))
    assert all(torch.equal(a[name], b[name]) for name in a)
    found = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert found["config"]["epochs"] == found["chosen"]["epochs"] == 4 and not found["config"]["crf"]
    assert found["chosen"]["because"]["epochs"] == "the run was begun with it"


def test_the_command_line_chooses_alike(tmp_path):
    from click.testing import CliRunner

    folder = write_encoder(tmp_path / "encoder", tiny("bert"))
    paths = write_split(tmp_path, sizes=(12, 4, 4))
    files = [f"--{name}={path}" for name, path in paths.items()]
    out = tmp_path / "run"
    arguments = ["train", "--task=ner", *files, f"--encoder={folder}", f"--out={out}", "-p", "epochs", "1"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    found = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert found["chosen"]["lr"] == found["config"]["lr"] == found["model"]["suggested_lr"] == 3e-4
    assert found["config"]["crf"] and found["config"]["batch_size"] == found["chosen"]["batch_size"] == 16
    assert found["given"] == {"epochs": 1}
