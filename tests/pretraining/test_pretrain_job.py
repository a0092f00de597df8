"""``hanlp-tutor pretrain``, from lines of text to a folder with a card that load_encoder opens."""

import json
from itertools import islice

import pytest
import torch
from click.testing import CliRunner

from hanlp_tutor.cli import app
from hanlp_tutor.encoders import load_encoder
from hanlp_tutor.encoders.embedded import read_masked_lm, render_card
from hanlp_tutor.pretraining import job as pretrain_job
from hanlp_tutor.pretraining.masking import RECIPES
from hanlp_tutor.pretraining.text import held_out_lines, training_lines

OPTIONS = ["-p", "warmup_tokens", "0", "-p", "eval_steps", "1", "-p", "log_steps", "1", "-p", "short_rows", "0.5"]


@pytest.fixture(scope="module")
def few_lines():
    """The first thousand training lines and a hundred held-out ones: cutting them all takes a quarter of a minute."""
    return list(islice(training_lines(), 1000)), list(islice(held_out_lines(), 100))


@pytest.fixture
def run(few_lines, monkeypatch):
    monkeypatch.setattr(pretrain_job, "training_lines", lambda files: few_lines[0])
    monkeypatch.setattr(pretrain_job, "held_out_lines", lambda: few_lines[1])

    def call(*arguments):
        return CliRunner().invoke(app, ["pretrain", *map(str, arguments)])

    return call


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_two_stages_of_each_recipe(run, tmp_path, recipe):
    first, second = tmp_path / "first", tmp_path / "second"
    done = run("--recipe", "bert", "--tokens", 4096, "--out", first, *OPTIONS, "--json")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["tokens"] == 4096 and 0 <= answer["held_out_accuracy"] <= 1
    done = run("--recipe", recipe, "--tokens", 2048, "--from", first / "encoder", "--name", "mine", "--out", second,
               *OPTIONS)  # fmt: skip
    assert done.exit_code == 0, done.output
    model, card = read_masked_lm(second / "encoder")
    assert card["name"] == "mine" and card["recipe"] == recipe and card["tokens"] == 6144
    assert [(stage["recipe"], stage["tokens"]) for stage in card["stages"]] == [("bert", 4096), (recipe, 2048)]
    assert [point["tokens"] for point in card["stages"][0]["curve"]] == [2048, 4096]
    assert (second / "encoder" / "README.md").read_text(encoding="utf-8") == render_card(card)
    assert "million" in render_card(card) and "/tmp" not in json.dumps(card["stages"][0]["config"])
    before, _ = read_masked_lm(first / "encoder")
    assert not torch.equal(model.bert.embeddings.word_embeddings.weight, before.bert.embeddings.word_embeddings.weight)
    assert load_encoder(str(second / "encoder")).pretrained


@pytest.mark.slow
def test_the_text_of_an_earlier_stage_and_its_licence_stay_on_the_card(run, few_lines, monkeypatch, tmp_path):
    """Otherwise a last stage on the corpora alone would hide that the weights know another text, and whose."""
    novel = tmp_path / "novel.txt"
    novel.write_text("那天夜里下了一场大雪。\n", encoding="utf-8")
    novel.with_suffix(".licence").write_text("a tale, CC BY-SA 4.0.\n\nOf 1921.\n", encoding="utf-8")
    monkeypatch.setattr(
        pretrain_job, "training_lines", lambda files: [*few_lines[0], *((file.stem, ["大雪"]) for file in files)]
    )
    length = sum(len(word) for _, words in few_lines[0] for word in words)
    first, second = tmp_path / "first", tmp_path / "second"
    common = ("--recipe", "bert", "--tokens", 2048, *OPTIONS)
    assert run(*common, "--text", novel, "--out", first).exit_code == 0
    assert run(*common, "--from", first / "encoder", "--out", second).exit_code == 0
    (_, before), (_, after) = read_masked_lm(first / "encoder"), read_masked_lm(second / "encoder")
    assert {"source": "novel", "lines": 1, "characters": 2} in after["text"]
    assert after["text"] == before["text"]
    assert after["provenance"] == before["provenance"] and after["provenance"].endswith("CC BY-SA 4.0. Of 1921.")
    assert [stage["characters"] for stage in after["stages"]] == [length + 2, length]


@pytest.mark.slow
def test_a_finished_run_is_not_written_over_and_options_are_checked(run, tmp_path):
    assert run("--recipe", "bert", "--tokens", 2048, "--out", tmp_path / "run", *OPTIONS).exit_code == 0
    again = run("--recipe", "bert", "--tokens", 2048, "--out", tmp_path / "run", *OPTIONS)
    assert again.exit_code == 2 and "holds a finished run" in again.output
    misspelt = run("--recipe", "bert", "--tokens", 2048, "--out", tmp_path / "other", "-p", "warmup_token", "0")
    assert misspelt.exit_code == 2 and "warmup_tokens" in misspelt.output
    missing = run("--recipe", "bert", "--tokens", 2048, "--out", tmp_path / "other", "--from", tmp_path / "nothing")
    assert missing.exit_code == 2 and "no encoder that this kit pre-trained" in missing.output
