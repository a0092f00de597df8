"""A search: seeded, pruned, resumed; against Optuna itself; and fine_tune's on_evaluation beneath it."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from toy import labelled, tagged

from hanlp_tutor.config import TrainConfig, config_from_yaml
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.data import Split
from hanlp_tutor.errors import ConfigError, DivergedError, TrainingError, TutorError
from hanlp_tutor.workbench.tuning import search as tune_module
from hanlp_tutor.workbench.tuning.search import Search, tune
from hanlp_tutor.workbench.tuning.space import Range
from hanlp_tutor.workbench.tuning.study import STARTUP

optuna = pytest.importorskip("optuna")

TESTS = Path(__file__).parents[1]
SPLIT = Split(tagged(40, longest=20), tagged(15, seed=1, longest=20), [])
CONFIG = TrainConfig(epochs=3, batch_size=8, head_lr=3e-3, patience=None)
SPACE = {"lr": "1e-4..1e-2:log", "dropout": "0..0.3", "schedule": "linear,constant"}


def imagined(monkeypatch, score, spoiled=None):
    """Trials whose dev scores come from ``score(config, evaluation)`` instead of a training."""
    configs = []

    def fine_tune(model, train, dev, config, folder, *, progress, on_start, on_evaluation):
        configs.append(config)
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps({"updates": config.epochs}), encoding="utf-8")
        (folder / "checkpoint.pt").touch()
        best = 0.0
        for step in range(1, config.epochs + 1):
            if spoiled is not None and spoiled(config):
                raise DivergedError("The loss became nan.")
            best = max(best, score(config, step))
            if on_evaluation({"step": step, "dev_score": score(config, step), "tokens": 100 * step}):
                break
        return type("Result", (), {"best_dev": best})

    monkeypatch.setattr(tune_module, "fine_tune", fine_tune)
    monkeypatch.setattr(tune_module, "build_model", lambda *arguments: None)
    return configs


def peak(config, step):
    """Best at lr = 1e-3, and growing from evaluation to evaluation."""
    import math

    return max(0.0, 0.9 - 0.2 * abs(math.log10(config.lr) + 3)) * step / config.epochs


def test_the_best_of_real_runs_is_what_a_run_gives(tiny_encoder, tmp_path):
    config = CONFIG.replace(epochs=6, batch_size=4)
    space = {**SPACE, "lr": "2e-3..6e-3:log"}
    search = tune("ner", SPLIT, tiny_encoder, config, space, 2, tmp_path / "s", pruner="none", progress="none")
    assert [row["state"] for row in search.trials] == ["complete"] * 2
    assert search.best_dev == max(row["dev"] for row in search.trials) > 0
    model = build_model("ner", tiny_encoder, label_set("ner", SPLIT.train), search.config)
    again = fine_tune(model, SPLIT.train, SPLIT.dev, search.config, tmp_path / "again", progress="none")
    assert again.best_dev == search.best_dev
    best = search.trials[search.best_trial]
    assert [r["dev_score"] for r in again.history if r.get("dev_score") is not None] == best["scores"]
    assert again.history[-1]["tokens"] == best["tokens"]


def test_the_yaml_is_what_train_takes(monkeypatch, tmp_path):
    imagined(monkeypatch, peak)
    search = tune("ner", SPLIT, "random:mini-bert", CONFIG, SPACE, 4, tmp_path / "s", progress="none")
    assert config_from_yaml(tmp_path / "s" / "best.yaml") == search.config
    assert search.config == CONFIG.replace(**search.trials[search.best_trial]["options"])
    assert Search.read(tmp_path / "s") == Search.read(tmp_path / "s" / "search.json") == search
    with pytest.raises(TutorError, match="no search"):
        Search.read(tmp_path / "nowhere")


def test_classification_too(tiny_encoder, tmp_path):
    split = Split(labelled(30, longest=20), labelled(12, seed=1, longest=20), [])
    search = tune("classify", split, tiny_encoder, CONFIG, {"lr": [1e-3, 3e-3]}, 2, tmp_path / "s", progress="none")
    assert 0 < search.best_dev <= 1 and {row["options"]["lr"] for row in search.trials} <= {1e-3, 3e-3}


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_more_trials_later_are_the_trials_of_one_long_search(monkeypatch, tmp_path, sampler):
    configs = imagined(monkeypatch, peak)
    begin = ("ner", SPLIT, "random:mini-bert", CONFIG, SPACE)
    whole = tune(*begin, 14, tmp_path / "whole", sampler=sampler, progress="none")
    for trials in (2, 3, 9, 14):
        parts = tune(*begin, trials, tmp_path / "parts", sampler=sampler, progress="none")
        assert len(parts.trials) == trials
    bare = [{**row, "seconds": 0} for row in whole.trials]
    assert bare == [{**row, "seconds": 0} for row in parts.trials]
    assert len({row["options"]["lr"] for row in whole.trials}) == 14, "a resumed sampler draws no value twice"
    done = len(configs)
    assert tune(*begin, 14, tmp_path / "parts", sampler=sampler, progress="none") == parts
    assert len(configs) == done, "a search that has its trials runs none"


def test_no_trial_begins_after_the_minutes_and_the_study_goes_on_later(monkeypatch, tmp_path):
    clock = [0.0]
    monkeypatch.setattr(tune_module.time, "monotonic", lambda: clock[0])

    def slow(config, step):
        clock[0] += 5  # asked twice an evaluation
        return peak(config, step)

    imagined(monkeypatch, slow)  # a trial of three evaluations takes half a minute
    begin = ("ner", SPLIT, "random:mini-bert", CONFIG, SPACE)
    search = tune(*begin, 20, tmp_path / "a", minutes=0.75, pruner="none", progress="none")
    assert len(search.trials) == 2, "the second began within 45 seconds, and was ended"
    assert len(tune(*begin, 20, tmp_path / "a", minutes=0.25, pruner="none", progress="none").trials) == 3
    assert len(tune(*begin, 2, tmp_path / "b", minutes=60, pruner="none", progress="none").trials) == 2
    assert len(tune(*begin, 5, tmp_path / "c", minutes=1e-9, pruner="none", progress="none").trials) == 1


def test_another_seed_is_another_search(monkeypatch, tmp_path):
    imagined(monkeypatch, peak)
    one, two = (
        tune("ner", SPLIT, "random:mini-bert", CONFIG.replace(seed=s), SPACE, 3, tmp_path / str(s), progress="none")
        for s in (1, 2)
    )
    assert one.trials[0]["options"] != two.trials[0]["options"]


def test_pruning_agrees_with_optuna_asked_directly(monkeypatch, tmp_path):
    imagined(monkeypatch, peak)
    config = CONFIG.replace(epochs=6)
    search = tune("ner", SPLIT, "random:mini-bert", config, SPACE, 20, tmp_path / "s", progress="none")
    pruned = [row for row in search.trials if row["state"] == "pruned"]
    assert pruned and all(row["state"] == "complete" for row in search.trials[:STARTUP])
    for row in pruned:  # the median rule by hand: its best so far is below the median of the complete ones by then
        at = len(row["scores"])
        assert 2 <= at < config.epochs and row["tokens"] == 100 * at
        complete = [r for r in search.trials[: row["trial"]] if r["state"] == "complete"]
        assert max(row["scores"]) < statistics.median(r["scores"][at - 1] for r in complete)
    study = optuna.load_study(study_name="tune", storage=_storage(tmp_path / "s"))
    assert study.best_value == search.best_dev
    assert study.best_params == search.trials[search.best_trial]["options"]
    assert [t.state.name.lower() for t in study.trials] == [row["state"] for row in search.trials]


def _storage(folder):
    from optuna.storages.journal import JournalFileBackend

    return optuna.storages.JournalStorage(JournalFileBackend(str(folder / "study.log")))


def test_halving_and_no_pruning(monkeypatch, tmp_path):
    imagined(monkeypatch, peak)
    begin = ("ner", SPLIT, "random:mini-bert", CONFIG.replace(epochs=4), SPACE, 10)
    halved = tune(*begin, tmp_path / "halving", pruner="halving", progress="none")
    kept = tune(*begin, tmp_path / "none", pruner="none", progress="none")
    assert {row["state"] for row in halved.trials} == {"complete", "pruned"}
    assert {row["state"] for row in kept.trials} == {"complete"}
    assert sum(row["tokens"] for row in halved.trials) < sum(row["tokens"] for row in kept.trials)


def test_what_matters_is_found(monkeypatch, tmp_path):
    imagined(monkeypatch, peak)
    begin = ("ner", SPLIT, "random:mini-bert", CONFIG, SPACE, 30)
    search = tune(*begin, tmp_path / "s", sampler="random", pruner="none", progress="none")
    assert sum(search.importances.values()) == pytest.approx(1)
    assert search.importances["lr"] > 0.8, "only lr moves this score"
    assert 3e-4 < search.config.lr < 3e-3


def test_an_interrupted_search_leaves_its_best(monkeypatch, tmp_path):
    def interrupted(config, step):
        if len(list((tmp_path / "trials").iterdir())) == 4:
            raise KeyboardInterrupt
        return peak(config, step)

    imagined(monkeypatch, interrupted)
    with pytest.raises(KeyboardInterrupt):
        tune("ner", SPLIT, "random:mini-bert", CONFIG, SPACE, 9, tmp_path, progress="none")
    search = Search.read(tmp_path)
    assert len(search.trials) == 3 and config_from_yaml(tmp_path / "best.yaml") == search.config


def test_equal_scores_have_no_importances(monkeypatch, tmp_path):
    imagined(monkeypatch, lambda config, step: 0.5)
    assert tune("ner", SPLIT, "random:mini-bert", CONFIG, SPACE, 3, tmp_path, progress="none").importances == {}


def test_a_run_that_diverges_counts_as_nothing(monkeypatch, tmp_path):
    imagined(monkeypatch, peak, spoiled=lambda config: config.lr > 2e-3)
    search = tune("ner", SPLIT, "random:mini-bert", CONFIG, SPACE, 10, tmp_path / "s", progress="none")
    spoiled = [row for row in search.trials if row["error"]]
    assert spoiled and all(row["dev"] == 0 and row["options"]["lr"] > 2e-3 for row in spoiled)
    assert search.config.lr <= 2e-3


@pytest.mark.slow
def test_a_real_run_that_diverges_is_one(tiny_encoder, tmp_path):
    config = CONFIG.replace(optimizer="sgd", max_grad_norm=None, warmup_steps=0, head_lr=1.0)
    split = Split([e for e in SPLIT.train if e.spans], SPLIT.dev, [])
    space = {"l2": [1e30], "lr": [1.0]}
    search = tune("ner", split, tiny_encoder, config, space, 1, tmp_path / "s", progress="none")
    assert "nan" in search.trials[0]["error"] or "inf" in search.trials[0]["error"]
    assert search.best_dev == 0


def test_checkpoints_do_not_pile_up(tiny_encoder, tmp_path):
    tune("ner", SPLIT, tiny_encoder, CONFIG.replace(epochs=1), SPACE, 2, tmp_path / "s", progress="none")
    assert not list((tmp_path / "s").rglob("checkpoint.pt*"))
    assert len(list((tmp_path / "s").rglob("history.csv"))) == 2


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"config": CONFIG.replace(epochs=4)}, "configuration"),
        ({"space": {**SPACE, "lr": "1e-4..1e-3:log"}}, "space"),
        ({"split": Split(SPLIT.train[1:], SPLIT.dev, [])}, "training data"),
        ({"sampler": "random"}, "sampler"),
        ({"encoder": "random:mini-roberta-wwm"}, "encoder"),
    ],
)
def test_a_folder_with_another_search(monkeypatch, tmp_path, changes, word):
    imagined(monkeypatch, peak)
    given = {"split": SPLIT, "encoder": "random:mini-bert", "config": CONFIG, "space": SPACE}
    tune("ner", *given.values(), 1, tmp_path, progress="none")
    sampler = changes.pop("sampler", "tpe")
    with pytest.raises(TrainingError, match=f"another {word}"):
        tune("ner", *{**given, **changes}.values(), 2, tmp_path, sampler=sampler, progress="none")


def test_a_process_that_keeps_its_turn(monkeypatch, tmp_path):
    from filelock import FileLock

    from hanlp_tutor.workbench.tuning import study

    monkeypatch.setattr(study, "TURN", 0.1)
    (tmp_path / "s").mkdir()
    with FileLock(tmp_path / "s" / ".lock"), pytest.raises(TrainingError, match="another search holds this folder"):
        tune("ner", SPLIT, "random:mini-bert", CONFIG, SPACE, 1, tmp_path / "s", progress="none")


@pytest.mark.parametrize("killed", [False, True])
def test_two_processes_share_one_study(tmp_path, killed):
    """In their own processes (shared_search.py), with trainings that only take time; one of them may be killed."""
    command = [sys.executable, str(TESTS / "workbench" / "shared_search.py"), str(tmp_path), str(int(killed))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    search = Search.read(tmp_path / "s")
    assert [row["trial"] for row in search.trials] == list(range(12)), "the sum of both is one study"
    ended = [line.split() for line in (tmp_path / "ended").read_text().splitlines()]
    assert sorted(int(place) for place, _ in ended) == list(range(12)), "each trial once"
    assert {int(process) for _, process in ended} == set(said["processes"]), "both had a part in it"
    begun = (tmp_path / "begun").read_text().splitlines()
    assert len(begun) == 12 + killed, "the killed process's trial was done again"
    states = [t.state.name for t in optuna.load_study(study_name="tune", storage=_storage(tmp_path / "s")).trials]
    assert states.count("FAIL") == killed and "RUNNING" not in states
    assert not list((tmp_path / "s" / ".running").iterdir())


def test_an_earlier_study_whose_trials_have_no_places_goes_on(monkeypatch, tmp_path):
    """As they were when one process had a study for itself."""
    from hanlp_tutor.workbench.tuning import study

    imagined(monkeypatch, peak)
    begin = ("ner", SPLIT, "random:mini-bert", CONFIG, SPACE)
    whole = tune(*begin, 6, tmp_path / "whole", progress="none")
    tune(*begin, 3, tmp_path / "earlier", progress="none")
    journal = tmp_path / "earlier" / study.STUDY_FILE
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(line for line in lines if b'"place"' not in line))
    later = tune(*begin, 6, tmp_path / "earlier", progress="none")
    assert [{**row, "seconds": 0} for row in later.trials] == [{**row, "seconds": 0} for row in whole.trials]


def test_a_torn_line_of_the_journal_is_taken_away(monkeypatch, tmp_path):
    imagined(monkeypatch, peak)
    begin = ("ner", SPLIT, "random:mini-bert", CONFIG, SPACE)
    tune(*begin, 2, tmp_path, progress="none")
    with open(tmp_path / "study.log", "ab") as journal:
        journal.write(b'{"op_code":4,"worker_id":"it was kil')
    assert len(tune(*begin, 3, tmp_path, progress="none").trials) == 3
    assert len(tune(*begin, 4, tmp_path, progress="none").trials) == 4


@pytest.mark.slow
def test_a_search_that_is_killed_again_and_again(tiny_encoder, tmp_path):
    command = [sys.executable, str(TESTS / "workbench" / "killed_search.py"), tiny_encoder, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["kills"] >= 5
    peaceful, killed = (Search.read(tmp_path / name) for name in ("peaceful", "killed"))
    assert [{**row, "seconds": 0} for row in killed.trials] == [{**row, "seconds": 0} for row in peaceful.trials]
    assert killed.best == peaceful.best


def test_without_optuna(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r'pip install "hanlp-tutor\[tune\]"'):
        tune("ner", SPLIT, "random:mini-bert", CONFIG, SPACE, 1, tmp_path)
    stored = {"trials": [{"dev": 0.5}], "best": CONFIG.model_dump(), "best_trial": 0, "importances": {}, "space": {}}
    (tmp_path / "search.json").write_text(json.dumps(stored), encoding="utf-8")
    recorded = Search.read(tmp_path)
    assert recorded.best_dev == 0.5 and recorded.config == CONFIG, "what was recorded is readable all the same"


@pytest.mark.parametrize(
    ("given", "error", "word"),
    [
        ({"trials": 0}, ConfigError, "trials=0"),
        ({"sampler": "grid"}, ConfigError, "sampler='grid'"),
        ({"pruner": "hyperband"}, ConfigError, "pruner='hyperband'"),
        ({"minutes": 0}, ConfigError, "minutes=0"),
        ({"minutes": float("nan")}, ConfigError, "minutes=nan"),
        ({"split": Split(SPLIT.train, [], [])}, TrainingError, "dev"),
    ],
)
def test_refused(tmp_path, given, error, word):
    options = {"split": SPLIT, "trials": 1, **given}
    split, trials = options.pop("split"), options.pop("trials")
    with pytest.raises(error, match=word):
        tune("ner", split, "random:mini-bert", CONFIG, {"lr": Range(1e-4, 1e-3)}, trials, tmp_path, **options)


def test_a_draw_that_cannot_be_run_is_a_failed_trial_and_the_study_goes_on(tiny_encoder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HANLP_TUTOR_PROGRESS", "lines")
    space = {"warmup_steps": [0, 1000]}
    begin = ("ner", SPLIT, tiny_encoder, CONFIG.replace(epochs=1), space)
    search = tune(*begin, 6, tmp_path, progress="lines")
    assert len(search.trials) == 6
    failed = [row for row in search.trials if row["state"] == "fail"]
    assert failed and all(row["options"]["warmup_steps"] == 1000 for row in failed)
    assert all("never ends" in row["error"] and row["dev"] is None and row["scores"] == [] for row in failed)
    assert {row["state"] for row in search.trials if row["options"]["warmup_steps"] == 0} <= {"complete", "pruned"}
    assert search.config.warmup_steps == 0 and Search.read(tmp_path) == search
    assert f"trial {failed[0]['trial']:>3}  failed" in capsys.readouterr().err
    assert len(tune(*begin, 8, tmp_path, progress="none").trials) == 8, "and further"


def test_options_that_exclude_each_other_are_a_failed_trial(monkeypatch, tmp_path):
    """Refused when the run's options are put together, before there is a run."""
    configs = imagined(monkeypatch, peak)
    space = {**SPACE, "crf": [True, False], "class_weights": ["balanced", None]}
    search = tune("ner", SPLIT, "random:mini-bert", CONFIG, space, 12, tmp_path / "s", pruner="none", progress="none")
    failed = [row for row in search.trials if row["state"] == "fail"]
    assert 0 < len(failed) < 12 and len(configs) == 12 - len(failed)
    assert all(row["options"]["crf"] and row["options"]["class_weights"] for row in failed)
    begin = ("ner", SPLIT, "random:mini-bert", CONFIG, space)
    for trials in (6, 12):
        parts = tune(*begin, trials, tmp_path / "parts", pruner="none", progress="none")
    bare = [{**row, "seconds": 0} for row in search.trials]
    assert [{**row, "seconds": 0} for row in parts.trials] == bare, "in two parts as in one"


def test_want_of_memory_is_a_failed_trial_and_a_bug_is_none(monkeypatch, tmp_path):
    def hungry(config, step):
        if config.lr > 1e-3:
            raise error
        return 0.5

    imagined(monkeypatch, hungry)
    space = {"lr": [1e-4, 1e-2]}
    error = RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB.")
    search = tune("ner", SPLIT, "random:mini-bert", CONFIG, space, 6, tmp_path / "a", progress="none")
    assert {row["options"]["lr"]: row["state"] for row in search.trials} == {1e-4: "complete", 1e-2: "fail"}
    error = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    with pytest.raises(RuntimeError, match="mat1"):
        tune("ner", SPLIT, "random:mini-bert", CONFIG, space, 6, tmp_path / "b", progress="none")


def test_a_study_all_of_whose_trials_fail_says_why(tiny_encoder, tmp_path):
    space = {"warmup_steps": [1000, 2000]}
    begin = ("ner", SPLIT, tiny_encoder, CONFIG.replace(epochs=1), space)
    for trials in (2, 3):  # more of them later: the same
        with pytest.raises(TrainingError, match=rf"not one of {trials} trials could be run.*never ends"):
            tune(*begin, trials, tmp_path, progress="none")


@pytest.mark.parametrize("content", [b"{nonsense\n", b'{"op_code": 99}\n', b"\xff\xfe\n"])
def test_a_journal_that_cannot_be_read(tmp_path, content):
    (tmp_path / "study.log").write_bytes(content)
    with pytest.raises(TrainingError, match="no study can be read"):
        tune("ner", SPLIT, "random:mini-bert", CONFIG, SPACE, 1, tmp_path, progress="none")


def test_optunas_verbosity_is_given_back(monkeypatch, tmp_path):
    imagined(monkeypatch, peak)
    before = optuna.logging.get_verbosity()
    tune("ner", SPLIT, "random:mini-bert", CONFIG, SPACE, 1, tmp_path, progress="none")
    assert optuna.logging.get_verbosity() == before


def run_of(encoder, out, on_evaluation=None, **options):
    torch.manual_seed(0)
    model = build_model("ner", encoder, label_set("ner", SPLIT.train), CONFIG)
    config = CONFIG.replace(**options)
    result = fine_tune(model, SPLIT.train, SPLIT.dev, config, out, progress="none", on_evaluation=on_evaluation)
    return model, result


def test_who_only_listens_changes_nothing(tiny_encoder, tmp_path):
    heard = []
    silent, _ = run_of(tiny_encoder, tmp_path / "a")
    watched, result = run_of(tiny_encoder, tmp_path / "b", lambda row: row.update(step=-1) or heard.append(row))
    for (name, a), b in zip(silent.state_dict().items(), watched.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    evaluated = [row for row in result.history if row.get("dev_score") is not None]
    assert [row["dev_score"] for row in heard] == [row["dev_score"] for row in evaluated]
    assert all(row["step"] > 0 for row in evaluated), "it gets a copy of the row"


def test_true_ends_the_run_after_that_evaluation(tiny_encoder, tmp_path):
    _, whole = run_of(tiny_encoder, tmp_path / "a")
    _, ended = run_of(tiny_encoder, tmp_path / "b", lambda row: row["epoch"] == 2)
    assert ended.steps == 2 * whole.steps // 3
    scores = [row["dev_score"] for row in whole.history if row.get("dev_score") is not None]
    assert ended.best_dev == max(scores[:2])


def test_the_yaml_holds_what_was_chosen_and_a_study_goes_on_with_it(tmp_path):
    """What nobody gave is chosen for each trial by the encoder; a later default does not mix with it."""
    config = TrainConfig(epochs=1, patience=None)
    search = tune("ner", SPLIT, "mini-bert", config, {"lr": "1e-4,3e-4"}, 1, tmp_path / "s", progress="none")
    chosen = {"crf": True, "head_lr": 3e-2, "batch_size": 16}
    assert chosen.items() <= search.best.items() and config_from_yaml(tmp_path / "s" / "best.yaml") == search.config
    begun = tmp_path / "s" / "trials" / "000" / "manifest.json"
    earlier = json.loads(begun.read_text(encoding="utf-8"))
    earlier["config"] |= {"crf": False, "head_lr": 1e-3, "batch_size": 32}  # as before there were such defaults
    begun.write_text(json.dumps(earlier), encoding="utf-8")
    tune("ner", SPLIT, "mini-bert", config, {"lr": "1e-4,3e-4"}, 2, tmp_path / "s", progress="none")
    later = json.loads((tmp_path / "s" / "trials" / "001" / "manifest.json").read_text(encoding="utf-8"))["config"]
    assert (later["crf"], later["head_lr"], later["batch_size"]) == (False, 1e-3, 32)
