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
from hanlp_tutor.defaults import choose, described
from hanlp_tutor.defaults import encoder_lr as suited
from hanlp_tutor.encoders import suggested_lr
from hanlp_tutor.encoders.embedded import load_masked_lm, read_card, save_masked_lm
from hanlp_tutor.encoders.layers import size
from hanlp_tutor.encoders.mini import EMBEDDED

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


def test_nothing_is_chosen_where_it_is_given():
    given = TrainConfig(lr=1e-5, epochs=2)
    assert choose(given, parameters=1, pretrained=True) == {}
    assert described(given, {}, False, 0.1) == {"config": given.model_dump(), "given": {"epochs": 2, "lr": 1e-5},
                                                "chosen": {}}  # fmt: skip
    none = TrainConfig(lr=None)
    found = described(none, choose(none, parameters=4_000_000, pretrained=True), True, 0.2)
    assert found["config"] == {**none.model_dump(), "lr": 3e-4, "crf": True, "dropout": 0.2}
    assert found["given"] == {} and found["chosen"]["lr"] == 3e-4 and "4.0 million" in found["chosen"]["because"]["lr"]


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
    assert found["given"] == {"epochs": 1}
