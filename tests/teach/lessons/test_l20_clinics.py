"""A planted fault is there, alone; the measure of memory agrees with PyTorch's profiler."""

import pytest
import torch
from toy import labelled, tagged

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import TaggedText
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.teach.lessons.l20.chance import shuffled_tags
from hanlp_tutor.teach.lessons.l20.clinics import (
    _WARD,
    FAULTS,
    Plan,
    admit,
    kept_mb,
    plant,
    renamed,
    shifted,
    tight_memory,
)
from hanlp_tutor.workbench.diagnose.report import KINDS

NER = Plan(tagged(100), tagged(40, seed=1), TrainConfig(epochs=3, lr=3e-4), "random:mini-bert")
CLASSES = Plan(labelled(100), labelled(40, seed=1), TrainConfig(epochs=3, lr=3e-4))


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_fault_changes_something_and_has_a_name(fault):
    assert fault in KINDS
    for plan in (NER, CLASSES):
        if plan.task in FAULTS[fault][0]:
            sick = plant(fault, plan)
            assert sick != plan or fault == "random-weights"
            assert [e.text for e in sick.dev] == [e.text for e in plan.dev], "dev is the same for everybody"
        else:
            with pytest.raises(ConfigError, match="is one of"):
                plant(fault, plan)


def test_a_misspelt_fault():
    with pytest.raises(ConfigError, match="did you mean 'leak'"):
        plant("leek", NER)


def test_tags_are_shifted_and_types_renamed_and_nothing_else():
    example = TaggedText("张三到上海", ("B-PER", "I-PER", "O", "B-LOC", "I-LOC"), "a:1")
    assert shifted(example).tags == ("O", "B-PER", "I-PER", "O", "B-LOC")
    assert shifted(example, 9).tags == ("O",) * 5
    assert renamed(example, "PER", "PRE").tags == ("B-PRE", "I-PRE", "O", "B-LOC", "I-LOC")
    assert shifted(example).text == renamed(example, "PER", "PRE").text == example.text


def test_shuffled_tags_are_the_same_tags_elsewhere():
    dealt = shuffled_tags(NER.train)
    assert [e.text for e in dealt] == [e.text for e in NER.train] and dealt == shuffled_tags(NER.train)
    assert [e.tags for e in dealt] != [e.tags for e in NER.train] != [e.tags for e in shuffled_tags(NER.train, 2)]
    assert sorted(t for e in dealt for t in e.tags) == sorted(t for e in NER.train for t in e.tags)


def test_what_is_planted():
    def types(examples):
        return {span.label for example in examples for span in example.spans}

    assert types(plant("unseen-label", NER).train) - types(NER.dev) and types(NER.dev) - types(
        plant("unseen-label", NER).train
    )
    leak = plant("leak", NER)
    assert sum(e in leak.train for e in NER.dev) >= len(NER.dev) // 2
    rare = plant("one-answer", NER).train
    assert sum(bool(e.spans) for e in rare) <= 3 and types(rare) == types(NER.train)
    assert [e.text for e in plant("noisy-labels", CLASSES).train] == [e.text for e in CLASSES.train]
    assert 40 <= sum(a != b for a, b in zip(plant("noisy-labels", CLASSES).train, CLASSES.train, strict=True)) <= 50
    assert plant("random-weights", CLASSES).encoder == "random:mini-bert"
    warm = plant("long-warm-up", NER).config
    assert (warm.epochs, warm.warmup_steps) == (1, NER.updates_an_epoch - 1)


def test_a_patient(small_encoder, tmp_path):
    plan = Plan(tagged(32), tagged(8, seed=1), TrainConfig(epochs=1, lr=3e-4, log_steps=1), small_encoder)
    patient = admit("H", plan, tmp_path)
    assert patient.symptoms["highest lr of θ"] == "none" and patient.symptoms["updates"] == "1"
    assert admit("", plan, tmp_path).folder.name == "healthy"
    assert not (patient.folder / "checkpoint.pt").exists()
    assert set(_WARD.values()) <= set(FAULTS)


def test_kept_memory_is_what_the_profiler_says(small_encoder):
    examples = tagged(16)
    model = build_model("ner", small_encoder, label_set("ner", examples), TrainConfig()).train()
    batch = model.collate([model.encode(e) for e in examples])
    ours = kept_mb(model, batch)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        loss = model.loss_sum(model(batch), batch)
    theirs = sum(event.self_cpu_memory_usage for event in profile.key_averages()) / 2**20
    assert loss.requires_grad and ours == pytest.approx(theirs, rel=0.02)
    assert kept_mb(model, model.collate([model.encode(e) for e in examples[:8]])) < 0.7 * ours
    assert kept_mb(model, batch, gradient_checkpointing=True) < 0.5 * ours
    assert kept_mb(model, batch) == ours, "it is switched off again"


def test_tight_memory_refuses_large_batches_in_training_only(small_encoder):
    examples = tagged(8)
    model = build_model("ner", small_encoder, label_set("ner", examples), TrainConfig()).train()
    tight_memory(model, 100)
    batch = model.collate([model.encode(e) for e in examples])
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        model(batch)
    assert model.eval()(batch).shape[0] == 8
