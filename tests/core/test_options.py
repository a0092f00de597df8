"""The options of a run and the model that it is given: each is followed or refused, whatever an earlier run left."""

import copy
import json

import pytest
import torch
from tiny_encoders import tiny, write_encoder
from toy import labelled, tagged

from hanlp_tutor import Predictor, TrainConfig, fine_tune
from hanlp_tutor.config import config_from_yaml
from hanlp_tutor.core.model_folder import build_model, load_model, save_model
from hanlp_tutor.core.precision import set_up
from hanlp_tutor.core.task import label_set
from hanlp_tutor.device import settings_restored
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.workbench.extend import add_task, extend
from hanlp_tutor.workbench.memory import estimate_memory

TRAIN = tagged(24, longest=20)
LABELS = label_set("ner", TRAIN)
FAST = TrainConfig(epochs=1, batch_size=8, lr=1e-2, head_lr=1e-2, warmup_steps=0, patience=None)


@pytest.fixture(autouse=True)
def process_as_it_was():
    """``set_up`` alone, without a run around it, leaves what it switches for the whole process."""
    with settings_restored():
        yield


def run(model, out, **options):
    return fine_tune(model, TRAIN, [], FAST.replace(**options), out, progress="none")


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def theta(model):
    return {n: p.detach().clone() for n, p in model.encoder.named_parameters() if not n.startswith("pooler.")}


def moved(before, model):
    """Which parameters of θ are not what they were."""
    return {name for name, p in theta(model).items() if not torch.equal(before[name], p)}


@pytest.fixture
def model(tiny_encoder):
    return build_model("ner", tiny_encoder, LABELS, FAST)


# --- freezing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["encoder", "all-but-last-1"])
def test_a_run_that_freezes_nothing_after_one_that_did_trains_everything(model, tmp_path, first):
    before = theta(model)
    run(model, tmp_path / "frozen", freeze=first)
    assert moved(before, model) == {n for n in before if first != "encoder" and ".layer.1." in n}
    before = theta(model)
    run(model, tmp_path / "thawed", freeze="none")
    assert moved(before, model) == set(before)
    facts = manifest_of(tmp_path / "thawed")["model"]["encoder"]
    assert facts["trainable"] == facts["parameters"]


def test_from_one_kind_of_freezing_to_another(model, tmp_path):
    for number, how in enumerate(("encoder", "all-but-last-1", "all-but-last-2", "encoder")):
        run(model, tmp_path / str(number), freeze=how)
        trained = {n for n, p in model.encoder.named_parameters() if p.requires_grad}
        kept = {"encoder": (), "all-but-last-1": ("layer.1.",), "all-but-last-2": ("layer.0.", "layer.1.")}[how]
        assert trained == {n for n in theta(model) if any(f".{part}" in n for part in kept)}


def test_what_somebody_froze_by_hand_stays_frozen_and_is_on_record(model, tmp_path):
    model.encoder.embeddings.requires_grad_(False)
    before = theta(model)
    run(model, tmp_path / "one", freeze="encoder")
    run(model, tmp_path / "two", freeze="none")
    assert moved(before, model) == {n for n in before if not n.startswith("embeddings.")}
    facts = manifest_of(tmp_path / "two")["model"]["encoder"]
    assert facts["trainable"] < facts["parameters"]


def test_extend_after_a_frozen_run_trains_the_encoder(model, tmp_path):
    run(model, tmp_path / "frozen", freeze="encoder")
    new = [type(e).from_spans(e.text, [s for s in e.spans if s.label == "PER"]) for e in TRAIN]
    renamed = [type(e)(e.text, tuple(tag.replace("PER", "NEW") for tag in e.tags)) for e in new]
    before = theta(model)
    extension = extend(model, renamed, FAST, tmp_path / "extended", progress="none")
    assert moved(before, extension.model) == set(before) and not moved(before, model)


def test_a_task_added_after_a_frozen_run_can_train_the_encoder(tiny_encoder):
    labels = ("tok/B", "tok/M", "tok/E", "tok/S")
    config = TrainConfig()
    two = build_model("multitask", tiny_encoder, labels, config)
    set_up(two, config.replace(freeze="encoder"))
    three = add_task(two, ["pos/n", "pos/v"])
    set_up(three, config)
    assert all(p.requires_grad for n, p in three.encoder.named_parameters() if not n.startswith("pooler."))


# --- dropout and checkpointing ---------------------------------------------------------------------------------------


def dropouts(model):
    return {n: m.p for n, m in model.named_modules() if isinstance(m, torch.nn.Dropout)}


@pytest.mark.parametrize("task", ["ner", "classify", "multitask"])
def test_the_dropout_of_a_run_is_the_runs(tiny_encoder, tmp_path, task):
    labels = {"ner": LABELS, "classify": ("bad", "good"), "multitask": ("tok/B", "tok/M", "tok/E", "tok/S", "pos/n")}
    config = TrainConfig(dropout=0.4)
    model = build_model(task, tiny_encoder, labels[task], config)
    for p in (0.0, 0.2):
        set_up(model, config.replace(dropout=p))
        found = dropouts(model)
        assert {v for n, v in found.items() if not n.endswith("attention.self.dropout")} == {p}
        assert {v for n, v in found.items() if n.endswith("attention.self.dropout")} == {0.1}
        assert model.encoder.config.hidden_dropout_prob == p
    again = load_model(save_model(model, tmp_path / "model"))
    assert again.head.dropout.p == 0.2 and again.encoder.config.hidden_dropout_prob == 0.2


def test_two_runs_differ_by_their_dropout_alone(tiny_encoder, tmp_path):
    built = build_model("ner", tiny_encoder, LABELS, FAST.replace(dropout=0.0))
    losses = {}
    for p in (0.0, 0.5):
        rows = run(copy.deepcopy(built), tmp_path / str(p), dropout=p, log_steps=1).history
        losses[p] = [row["loss"] for row in rows]
    assert losses[0.0] != losses[0.5]
    own = run(build_model("ner", tiny_encoder, LABELS, FAST.replace(dropout=0.5)), tmp_path / "own", dropout=0.5,
              log_steps=1)  # fmt: skip
    assert [row["loss"] for row in own.history] == losses[0.5]


def test_checkpointing_is_switched_on_and_off_again(model, tmp_path):
    for number, on in enumerate((True, False, True)):
        run(model, tmp_path / str(number), gradient_checkpointing=on)
        assert model.encoder.is_gradient_checkpointing is on


def test_a_memory_estimate_is_of_the_options_not_of_what_the_model_was_left_with(tiny_encoder):
    fresh, used = (build_model("ner", tiny_encoder, LABELS, FAST) for _ in range(2))
    set_up(used, FAST.replace(freeze="encoder", gradient_checkpointing=True, dropout=0.0))
    frozen = [p.requires_grad for p in used.parameters()]
    assert estimate_memory(used, FAST, TRAIN) == estimate_memory(fresh, FAST, TRAIN)
    assert [p.requires_grad for p in used.parameters()] == frozen and dropouts(used)["head.dropout"] == 0.0


@pytest.mark.parametrize("kind", ["albert", "mpnet"])
def test_an_architecture_that_cannot_recompute_is_refused_before_anything_happens(kind, tmp_path):
    encoder = write_encoder(tmp_path / kind, tiny(kind))
    model = build_model("ner", encoder, LABELS, FAST)
    with pytest.raises(ConfigError, match=r"gradient_checkpointing=True.*cannot recompute.*Leave it out"):
        run(model, tmp_path / "run", gradient_checkpointing=True)
    assert not (tmp_path / "run").exists()
    run(model, tmp_path / "run")


# --- crf, class weights, weights of tasks --------------------------------------------------------------------------


@pytest.mark.parametrize("has", [False, True])
def test_a_built_head_keeps_its_crf_or_has_none(tiny_encoder, tmp_path, has):
    model = build_model("ner", tiny_encoder, LABELS, FAST.replace(crf=has))
    with pytest.raises(ConfigError, match=rf"crf={not has}.*build the model anew with crf={not has}"):
        run(model, tmp_path / "other", crf=not has)
    run(model, tmp_path / "same", crf=has)
    run(model, tmp_path / "unsaid")
    assert manifest_of(tmp_path / "unsaid")["config"]["crf"] is has, "the manifest says what the model has"


def test_a_crf_for_whole_texts_is_refused(tiny_encoder, tmp_path):
    texts = labelled(12)
    config = FAST.replace(crf=True)
    model = build_model("classify", tiny_encoder, label_set("classify", texts), config)
    with pytest.raises(ConfigError, match="only models that tag can have a CRF"):
        fine_tune(model, texts, [], config, tmp_path / "run")


@pytest.mark.parametrize("weights", ["balanced", {"O": 0.5}])
def test_class_weights_on_a_crf_are_refused(tiny_encoder, tmp_path, weights):
    model = build_model("ner", tiny_encoder, LABELS, FAST.replace(crf=True))
    with pytest.raises(ConfigError, match=r"class_weights.*CRF"):
        run(model, tmp_path / "run", class_weights=weights)


@pytest.mark.parametrize(
    ("name", "value"), [("task_weights", {"tok": 2.0}), ("sampling_temperature", 0.5)], ids=["weights", "temperature"]
)
def test_options_of_several_tasks_are_refused_for_one(model, tmp_path, name, value):
    with pytest.raises(ConfigError, match=rf"{name} is for a multi-task model.*one task, ner"):
        run(model, tmp_path / "run", **{name: value})


def test_what_was_not_given_stays_not_given(tmp_path):
    (tmp_path / "c.yaml").write_text("epochs: 3\n", encoding="utf-8")
    config = config_from_yaml(tmp_path / "c.yaml", {"lr": 1e-3})
    assert config.replace(seed=2).model_fields_set == {"epochs", "lr", "seed"}
    assert config.replace(seed=1) == config and config.replace(seed=1).model_dump_json() == config.model_dump_json()


# --- l2 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("l2_on", ["distance", "encoder"])
def test_nothing_to_penalise_is_refused(model, tmp_path, l2_on):
    model.encoder.requires_grad_(False)
    with pytest.raises(ConfigError, match=rf"l2=0\.1.*{l2_on}.*frozen.*thaw"):
        run(model, tmp_path / "run", l2=0.1, l2_on=l2_on)


def test_the_distance_is_from_where_each_run_began(model, tmp_path):
    """The second run's first update is not pulled back to where the first one began."""
    run(model, tmp_path / "one", l2=1.0, l2_on="distance", log_steps=1)
    rows = run(model, tmp_path / "two", l2=1.0, l2_on="distance", log_steps=1).history
    assert rows[0]["l2"] == 0 and rows[1]["l2"] > 0


def test_a_resumed_run_measures_the_distance_from_where_it_began(tiny_encoder, tmp_path):
    """Also when it is resumed with the model in memory, which has moved on."""
    options = {"epochs": 4, "l2": 50.0, "l2_on": "distance", "log_steps": 1, "checkpoint_steps": 1, "dropout": 0.1}

    class Stop(Exception):
        pass

    def stop(row):
        if row["epoch"] == 2:
            raise Stop

    config = FAST.replace(**options)
    whole = build_model("ner", tiny_encoder, LABELS, config)
    rows = fine_tune(whole, TRAIN, [], config, tmp_path / "whole", progress="none").history
    model = build_model("ner", tiny_encoder, LABELS, config)
    with pytest.raises(Stop):
        fine_tune(model, TRAIN, [], config, tmp_path / "run", progress="none", on_evaluation=stop)
    again = fine_tune(model, TRAIN, [], config, tmp_path / "run", progress="none", resume=True).history
    assert [row["l2"] for row in again] == [row["l2"] for row in rows]
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), whole.state_dict().values(), strict=True))


# --- what was chosen -----------------------------------------------------------------------------------------------


def test_the_manifest_says_what_was_chosen_and_by_which_property_and_what_was_given(tiny_encoder, tmp_path):
    config = TrainConfig(epochs=1, seed=3)
    model = build_model("ner", tiny_encoder, LABELS, config)
    fine_tune(model, TRAIN, [], config, tmp_path / "run", progress="none")
    found = manifest_of(tmp_path / "run")
    assert found["given"] == {"epochs": 1, "seed": 3}
    assert found["chosen"]["lr"] == found["config"]["lr"] == 3e-4
    assert "million parameters" in found["chosen"]["because"]["lr"]
    fine_tune(model, TRAIN, [], config.replace(lr=1e-4), tmp_path / "given", progress="none")
    found = manifest_of(tmp_path / "given")
    assert "lr" not in found["chosen"] and found["given"]["lr"] == 1e-4


# --- prediction while it is in training mode -----------------------------------------------------------------------


def test_predictions_of_a_model_in_training_mode_are_right_from_many_threads(tiny_encoder):
    from concurrent.futures import ThreadPoolExecutor

    model = build_model("ner", tiny_encoder, LABELS, TrainConfig(dropout=0.5, head_lr=1.0)).train()
    texts = [example.text for example in TRAIN]
    predictor = Predictor(model)
    assert not predictor.model.training and model.training
    right = {text: predictor.predict(text) for text in texts}
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(predictor.predict, texts * 6))
    assert found == [right[text] for text in texts * 6]
    assert model.training and not any(m.training for m in predictor.model.modules())


def test_a_predictor_follows_the_weights_and_not_the_mode(tiny_encoder, tmp_path):
    model = build_model("ner", tiny_encoder, LABELS, TrainConfig(dropout=0.5)).train()
    early, late = Predictor(model), Predictor(model.eval())
    run(model, tmp_path / "run", epochs=6)
    model.train()
    expected = Predictor(load_model(save_model(model, tmp_path / "model"))).predict(TRAIN[0].text)
    assert early.predict(TRAIN[0].text) == late.predict(TRAIN[0].text) == expected and model.training


def test_a_predictor_in_the_middle_of_a_run_changes_nothing_of_the_run(tiny_encoder, tmp_path):
    config = FAST.replace(epochs=3, dropout=0.3, log_steps=1)

    def losses(out, **callbacks):
        model = build_model("ner", tiny_encoder, LABELS, config)
        rows = fine_tune(model, TRAIN, [], config, out, progress="none", **callbacks).history
        return [row["loss"] for row in rows]

    models = []

    def look(row):
        models[0].predict(TRAIN[0].text)

    plain = losses(tmp_path / "plain")
    watched = losses(tmp_path / "watched", on_start=lambda r: models.append(Predictor(r.model)), on_evaluation=look)
    assert watched == plain


def test_a_dropout_set_by_hand_stays_and_is_on_record(model, tmp_path):
    """Where the run's options say nothing of it; lesson 07 switches off all of it so."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    run(model, tmp_path / "unsaid")
    assert set(dropouts(model).values()) == {0.0} and manifest_of(tmp_path / "unsaid")["config"]["dropout"] == 0.0
    run(model, tmp_path / "said", dropout=0.1)
    assert dropouts(model)["head.dropout"] == 0.1 == manifest_of(tmp_path / "said")["config"]["dropout"]


def test_a_dropout_that_the_options_leave_open_is_the_default_not_what_was_left(model, tmp_path):
    run(model, tmp_path / "one", dropout=0.4)
    run(model, tmp_path / "two")
    assert dropouts(model)["head.dropout"] == 0.1 == manifest_of(tmp_path / "two")["config"]["dropout"]
