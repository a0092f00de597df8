"""Each fault by its name, nothing for a healthy run: on folders made by hand, and on real runs with a planted fault."""

import json
import math
import subprocess
import sys

import pytest
from click.testing import CliRunner
from toy import labelled, tagged

from hanlp_tutor.cli import app
from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.history import COLUMNS, write_history
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.core.optim import model_facts
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import Split, TaggedText
from hanlp_tutor.errors import DataError
from hanlp_tutor.manifest import update_manifest
from hanlp_tutor.teach.lessons.l20.clinics import Plan, carry_out, plant, shifted
from hanlp_tutor.workbench.diagnose import KINDS, diagnose
from hanlp_tutor.workbench.diagnose.facts import alignment, known_texts, seen_texts
from hanlp_tutor.workbench.diagnose.record import read_run

ALIGNED = {"-2": 0.15, "-1": 0.2, "0": 0.27, "1": 0.2, "2": 0.15}
SLIPPED = {"-2": 0.2, "-1": 0.27, "0": 0.2, "1": 0.15, "2": 0.1}
LABELS = {"O": 9000, "B-PER": 300, "I-PER": 300, "B-LOC": 200, "I-LOC": 200}
ENTROPY = -sum(n / 10_000 * math.log(n / 10_000) for n in LABELS.values())


def healthy(**changes):
    """The manifest of a run with nothing wrong; a dict among the changes is merged."""
    manifest = {
        "task": "ner",
        "encoder": "mini-bert",
        "updates": 100,
        "micro_batch": 16,
        "out_of_memory_at": [],
        "config": {"lr": 3e-4, "head_lr": 1e-2, "warmup_steps": 0.1, "freeze": "none", "epochs": 5, "batch_size": 16,
                   "max_grad_norm": 1.0, "gradient_accumulation_steps": 1, "patience": None},
        "model": {"pretrained": True, "suggested_lr": 3e-4, "encoder": {"parameters": 100, "trainable": 100}},
        "data": {"train_labels": LABELS, "dev_labels": LABELS, "train_examples": 300, "dev_examples": 100,
                 "dev_known": 0, "unknown_share": 0.001, "train_alignment": ALIGNED, "dev_alignment": ALIGNED,
                 "train_broken": 0},
    }  # fmt: skip
    for name, value in changes.items():
        manifest[name] = {**manifest[name], **value} if isinstance(value, dict) and name in manifest else value
    return manifest


def curve(loss=0.1, dev_loss=(0.3, 0.25, 0.22, 0.22), dev=(0.3, 0.5, 0.55, 0.56), train=0.9, minority=0.1, **columns):
    """A history of 100 updates: the loss falls from the labels' entropy to ``loss``."""
    rows = []
    for number in range(1, 21):
        row = dict.fromkeys(COLUMNS)
        share = min(1.0, number / 15)
        row.update(step=5 * number, loss=ENTROPY * (1 - share) + loss * share, lr=3e-4, grad_norm=1.2, memory_mb=500.0)
        if number % 5 == 0:
            k = number // 5 - 1
            row.update(dev_loss=dev_loss[k], dev_score=dev[k], train_score=train * (k + 1) / 4, dev_minority=minority)
        rows.append({**row, **columns})
    return rows


@pytest.fixture
def folder(tmp_path):
    def make(manifest, rows):
        update_manifest(tmp_path, **manifest)
        if rows:
            write_history(tmp_path / "history.csv", rows)
        return tmp_path

    return make


RISING = {"dev_loss": (0.3, 0.25, 0.3, 0.4), "train": 1.0}
STUCK = {"loss": 0.9 * ENTROPY, "train": 0.1, "dev": (0, 0, 0.1, 0.1), "dev_loss": (0.95 * ENTROPY,) * 4}
CASES = [
    ("diverged", {"failed": {"kind": "diverged", "step": 3, "message": "The loss became nan before update 4."}}, None),
    ("out-of-memory", {"failed": {"kind": "out-of-memory", "step": 3, "message": "Memory ran out at update 4."}}, None),
    ("out-of-memory", {"failed": {"kind": "other", "message": "CUDA out of memory. Tried to allocate 2 GiB"}}, None),
    ("out-of-memory", {"micro_batch": 4, "out_of_memory_at": [1, 1]}, {}),
    ("unfinished", {"updates": 400}, {}),
    ("unseen-label", {"data": {"train_labels": {"O": 9000, "B-PRE": 300, "I-PRE": 300, "B-LOC": 400}}}, {}),
    ("unseen-label", {"data": {"dev_labels": {**LABELS, "B-DRUG": 90, "I-DRUG": 90}}}, {}),
    ("unseen-label", {"data": {"test_labels": {"O": 900, "B-人名": 30, "I-人名": 30}}}, {}),
    ("unseen-label", {"data": {"test_labels": {**LABELS, "B-DRUG": 90, "I-DRUG": 90}}}, {}),
    ("nothing-to-learn", {"data": {"train_labels": {"O": 9000}, "dev_labels": {"O": 900}}}, {"dev": (0, 0, 0, 0)}),
    ("nothing-to-learn", {"data": {"train_labels": {"O": 9000}, "dev_labels": LABELS}}, STUCK),
    (
        "nothing-to-learn",
        {"task": "classify", "data": {"train_labels": {"正面": 40}, "dev_labels": {"正面": 4}}},
        {"dev": (1, 1, 1, 1)},
    ),
    ("misaligned", {"data": {"train_alignment": SLIPPED}}, RISING),
    ("misaligned", {"data": {"dev_alignment": SLIPPED}}, {}),
    ("broken-tags", {"data": {"train_broken": 90}}, {}),
    ("leak", {"data": {"dev_known": 40}}, {}),
    ("leak", {"data": {"test_examples": 200, "test_known": 10}}, {}),
    ("unknown-characters", {"data": {"unknown_share": 0.3}}, {}),
    ("frozen-encoder", {"model": {"encoder": {"parameters": 100, "trainable": 0}}}, STUCK),
    ("frozen-encoder", {"model": {"encoder": {"parameters": 100, "trainable": 60}}}, {}),
    ("clipped-before-unscaling", {}, {"grad_norm": 70_000.0, "loss_scale": 65536.0}),
    ("clipped-before-unscaling", {}, {"grad_norm": 1 / 65536, "loss_scale": 65536.0}),
    ("one-answer", {"data": {"train_labels": {"O": 9950, "B-PER": 20, "B-LOC": 30}}}, {**STUCK, "minority": 0.001}),
    ("rate-too-high", {"config": {"lr": 3e-2}}, STUCK),
    ("rate-too-low", {"config": {"lr": 3e-6}}, STUCK),
    ("long-warm-up", {"config": {"warmup_steps": 90}}, STUCK),
    ("long-warm-up", {"config": {"warmup_steps": 0.9}}, STUCK),
    ("random-weights", {"model": {"pretrained": False}}, STUCK),
    ("noisy-labels", {}, STUCK),
    ("over-fitting", {}, RISING),
]


@pytest.mark.parametrize(("kind", "manifest", "rows"), CASES)
def test_each_fault_is_named_alone_with_evidence_and_remedy(folder, kind, manifest, rows):
    found = diagnose(folder(healthy(**manifest), None if rows is None else curve(**rows)))
    assert found.kinds == [kind]
    (finding,) = found.findings
    assert any(letter.isdigit() for letter in finding.message) and len(finding.remedy) > 20 and finding.evidence
    assert json.loads(json.dumps(found.to_json()))["kinds"] == [kind]


def test_a_test_set_with_other_labels_hides_nothing_about_the_curves(folder):
    manifest = healthy(data={"test_labels": {"O": 900, "B-人名": 30, "I-人名": 30}})
    found = diagnose(folder(manifest, curve(**RISING)))
    assert found.kinds == ["unseen-label", "over-fitting"]
    assert "Not one of the 30 gold labels of test occurs in train: 人名 in test, LOC, PER in train" in str(found)


def test_the_remedy_of_a_leak_also_serves_a_set_that_is_no_file(folder):
    """Held out of the training file, which is the default, dev has no file to name behind --dev."""
    found = str(diagnose(folder(healthy(data={"dev_known": 40}), curve())))
    assert "where dev was held out of TRAIN, `hanlp-tutor audit TRAIN` does, as duplicates" in found


def test_every_kind_has_a_case():
    assert {kind for kind, _, _ in CASES} | {"too-short"} == set(KINDS)


def test_a_loss_that_still_falls_is_too_short(folder):
    rows = curve(loss=0.6 * ENTROPY, train=0.4, dev_loss=(0.5, 0.45, 0.4, 0.35))
    for number, row in enumerate(rows, start=1):
        row["loss"] = ENTROPY * (1.3 - 0.6 * number / 20)
    assert diagnose(folder(healthy(), rows)).kinds == ["too-short"]


@pytest.mark.parametrize(("updates", "kinds"), [(18, ["too-short"]), (100, ["noisy-labels"])])
def test_a_handful_of_updates_blames_no_label(folder, updates, kinds):
    """Two epochs over 270 clean sentences: the loss is near that of frequencies, and falls."""
    rows = curve(loss=ENTROPY, train=0.0, dev=(0, 0, 0, 0), dev_loss=[each * ENTROPY for each in (1.3, 1.2, 1.1, 1.05)])
    for number, row in enumerate(rows, start=1):
        row["loss"] = ENTROPY * (1.4 - 0.3 * number / 20)
    found = diagnose(folder(healthy(updates=updates), rows))
    assert found.kinds == kinds
    assert ("18 updates in all" in str(found)) == (updates == 18)


def test_a_run_that_patience_ended_early_blames_no_label(folder):
    """Of 400 planned updates it took 20."""
    rows = [{**row, "step": row["step"] // 5} for row in curve(**STUCK)]
    assert diagnose(folder(healthy(updates=100), curve(**STUCK))).kinds == ["noisy-labels"]
    assert "noisy-labels" not in diagnose(folder(healthy(updates=400, config={"patience": 3}), rows)).kinds


def test_a_loss_that_dropout_keeps_high_is_no_fault(folder):
    """Dev, read without dropout, is far below its frequencies and has stopped falling: an alarm of the first test."""
    rows = curve(loss=0.6 * ENTROPY, dev=(0.1, 0.2, 0.3, 0.3), dev_loss=(0.35, 0.28, 0.27, 0.265))
    for number, row in enumerate(rows, start=1):
        row["loss"] = ENTROPY * (1.3 - 0.6 * number / 20)
    assert not diagnose(folder(healthy(), rows)).kinds


@pytest.mark.parametrize(
    ("best", "least", "kinds"),
    [
        (0.58, 0.97, ["noisy-labels"]),
        (0.66, 0.97, []),  # of 60 reviews more are right than guessing gets: an alarm of the second test
        (0.66, 1.01, ["noisy-labels"]),  # but not where dev was never better than its frequencies
        (0.58, 0.85, []),
    ],
)
def test_a_slow_classifier_is_told_from_one_that_guesses(folder, best, least, kinds):
    labels, guess = {"正面": 30, "负面": 30}, math.log(2)
    manifest = healthy(task="classify", data={"train_labels": labels, "dev_labels": labels})
    rows = curve(
        dev=(0.5, best, 0.55, 0.55), dev_loss=(1.1 * guess, least * guess, 1.1 * guess, 1.1 * guess), train=0.7
    )
    for row in rows:
        row["loss"] = 0.8 * guess
    assert diagnose(folder(manifest, rows)).kinds == kinds


@pytest.mark.parametrize(
    ("rise", "train", "kinds"),
    [(1.3, 0.92, []), (1.3, 0.98, ["over-fitting"]), (1.6, 0.92, ["over-fitting"]), (1.1, 1.0, [])],
)
def test_over_fitting_rises_the_more_the_less_train_is_known_by_heart(folder, rise, train, kinds):
    rows = curve(dev_loss=(0.3, 0.25, 0.25, 0.25 * rise), train=train)
    assert diagnose(folder(healthy(), rows)).kinds == kinds


@pytest.mark.parametrize(
    ("manifest", "rows"),
    [
        ({}, {}),
        ({"config": {"lr": 3e-6}}, {}),  # whatever the learning rate, it has learnt
        ({"config": {"warmup_steps": 90}}, {}),
        ({"model": {"pretrained": False}}, {}),
        ({"config": {"freeze": "encoder"}, "model": {"encoder": {"parameters": 100, "trainable": 0}}}, {}),
        ({"data": {"dev_known": 2}}, {}),
        ({"task": "multitask", "config": {"lr": 3e-6}}, STUCK),  # the loss of several tasks has no floor
        ({"config": {"class_weights": "balanced"}}, STUCK),
        ({"data": {"dev_labels": {**LABELS, "B-DRUG": 3, "I-DRUG": 3}}}, {}),
        ({}, {"grad_norm": 1.3, "loss_scale": 65536.0}),
        ({}, {"dev_loss": (0.3, 0.25, 0.26, 0.28), "train": 1.0}),
        ({"updates": 400, "config": {"patience": 2}}, {"dev": (0.3, 0.5, 0.4, 0.4)}),
        ({"data": {"train_labels": {"O": 9950, "B-PER": 20, "B-LOC": 30}}}, {"loss": 0.005}),
    ],
)
def test_no_alarm(folder, manifest, rows):
    assert diagnose(folder(healthy(**manifest), curve(**rows))).kinds == []


def test_a_history_alone_and_a_manifest_alone_are_enough(tmp_path):
    write_history(tmp_path / "history.csv", curve(grad_norm=70_000.0, loss_scale=65536.0))
    assert diagnose(tmp_path).kinds == ["clipped-before-unscaling"]
    update_manifest(tmp_path / "other", data={"dev_examples": 10, "dev_known": 9})
    assert diagnose(tmp_path / "other").kinds == ["leak"]


def test_what_is_no_run(tmp_path):
    with pytest.raises(DataError, match=r"neither manifest\.json nor history\.csv"):
        diagnose(tmp_path)
    (tmp_path / "manifest.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(DataError, match="no JSON object"):
        diagnose(tmp_path)
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    (tmp_path / "history.csv").write_text("step,loss\n1,a\n", encoding="utf-8")
    with pytest.raises(DataError, match="no history of a run"):
        diagnose(tmp_path)


# --- the facts that a run notes -------------------------------------------------------------------------------------


def test_alignment_is_mutual_information():
    """Against scikit-learn's."""
    from sklearn.metrics import mutual_info_score

    examples = tagged(200, shortest=8)
    information = alignment(examples)
    for offset in (-2, -1, 0, 1, 2):
        pairs = [(e.text[i + offset], e.tags[i]) for e in examples for i in range(2, len(e.text) - 2)]
        assert information[str(offset)] == pytest.approx(mutual_info_score(*zip(*pairs, strict=True)))


@pytest.mark.parametrize("places", [-1, 0, 1, 2])
def test_alignment_sees_which_way_tags_have_slipped(places):
    def slipped(e):
        if places < 0:
            return TaggedText(e.text, (*e.tags[-places:], *["O"] * -places))
        return shifted(e, places)

    from hanlp_tutor import load_corpus

    information = alignment([slipped(e) for e in load_corpus("peoples_daily").train[:200]])
    assert int(max(information, key=information.get)) == -places
    assert alignment(tagged(5)) is None, "too few entities to tell"


def test_texts_are_compared_without_case_width_and_blanks():
    examples = [TaggedText(text, ["O"] * len(text)) for text in ("他买了iPhone", "我在北京")]
    others = [TaggedText(text, ["O"] * len(text)) for text in ("他买了ＩＰＨＯＮＥ", "我在 北京", "我在北京大学")]
    assert known_texts(others, seen_texts(examples)) == 2
    assert known_texts(others, None) is None


def test_what_moves_is_counted_without_the_pooler(small_encoder):
    model = build_model("ner", small_encoder, ("O", "B-PER", "I-PER"), TrainConfig())
    facts = model_facts(model)
    assert facts["encoder"]["trainable"] == facts["encoder"]["parameters"] > 0 and facts["pretrained"] is False
    model.encoder.requires_grad_(False)
    assert model_facts(model)["encoder"]["trainable"] == 0
    assert model_facts(model)["head"] == {"parameters": 64 * 3 + 3, "trainable": 64 * 3 + 3}


# --- real runs ------------------------------------------------------------------------------------------------------

FAST = TrainConfig(epochs=4, batch_size=16, lr=1e-3, head_lr=1e-2, eval_steps=10, checkpoint_steps=1000, log_steps=3,
                   dropout=0.0, patience=None)  # fmt: skip


def subsets(task, seed=1):
    make = tagged if task == "ner" else labelled
    return make(160, seed=seed), make(40, seed=seed + 100)


@pytest.mark.parametrize(("task", "seed"), [("ner", 1), ("ner", 2)])
def test_a_healthy_run_raises_no_alarm(small_encoder, tmp_path, task, seed):
    carry_out(Plan(*subsets(task, seed), FAST.replace(seed=seed, epochs=6), small_encoder), tmp_path)
    assert diagnose(tmp_path).kinds == [] and read_run(tmp_path).left < 0.5


@pytest.mark.parametrize(
    ("fault", "task"),
    [
        ("unseen-label", "ner"),
        ("misaligned", "ner"),
        ("leak", "ner"),
        ("leak", "classify"),
        ("frozen-encoder", "classify"),
        ("diverged", "ner"),
    ],
)
def test_a_planted_fault_comes_first(small_encoder, tmp_path, fault, task):
    """Those that are counted need no long run; what curves tell is held to other corpora by the experiment."""
    plan = Plan(*subsets(task), FAST.replace(epochs=1), small_encoder)
    carry_out(plant(fault, plan), tmp_path)
    assert diagnose(tmp_path).kinds[0] == fault


def test_low_rate_and_long_warm_up_on_a_real_run(small_encoder, tmp_path):
    plan = Plan(*subsets("ner"), FAST, small_encoder)
    for fault in ("rate-too-low", "long-warm-up"):
        carry_out(plant(fault, plan), tmp_path / fault)
        assert diagnose(tmp_path / fault).kinds == [fault]


def test_the_test_side_is_held_against_train(small_encoder, tmp_path):
    from hanlp_tutor.workbench.job import finish

    train, dev = subsets("ner")
    model = build_model("ner", small_encoder, label_set("ner", train), FAST)
    result = carry_out(Plan(train, dev, FAST.replace(epochs=1), small_encoder), tmp_path)
    finish(model, result, Split(train, dev, [*dev, *train[:20]]))
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["data"]["test_examples"] == 60 and manifest["data"]["test_known"] >= 20
    assert "leak" in diagnose(tmp_path).kinds
    assert "test_known" not in (tmp_path / "metrics.json").read_text(encoding="utf-8")


# --- the command ----------------------------------------------------------------------------------------------------


def test_exit_codes_and_json(folder, tmp_path):
    run = folder(healthy(data={"dev_known": 40}), curve())
    result = CliRunner().invoke(app, ["diagnose", str(run)])
    assert result.exit_code == 1 and result.stdout.startswith("leak: 40 of the 100 texts of dev")
    result = CliRunner().invoke(app, ["diagnose", str(run), "--json"])
    assert result.exit_code == 1 and json.loads(result.stdout.splitlines()[-1])["kinds"] == ["leak"]
    update_manifest(run, data={"dev_known": 0})
    result = CliRunner().invoke(app, ["diagnose", str(run), "--json"])
    assert result.exit_code == 0 and json.loads(result.stdout.splitlines()[-1])["findings"] == []
    assert CliRunner().invoke(app, ["diagnose", str(tmp_path / "nowhere")]).exit_code == 2


def test_no_torch_is_needed(folder):
    run = folder(healthy(), curve())
    code = (
        "import sys; from hanlp_tutor.cli import app\n"
        f"try: app(['diagnose', {str(run)!r}])\n"
        "except SystemExit as error: print(error.code, 'torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert result.stdout.splitlines()[-1] == "0 False"
