"""A finished model trained further: what it knows stays, what is new gets rows of its own."""

import hashlib
import json

import pytest
import torch
from click.testing import CliRunner
from toy import labelled, tagged, write_split

from hanlp_tutor import Predictor, TrainConfig, build_model, load_model, save_model
from hanlp_tutor.cli import app
from hanlp_tutor.core.task import label_set
from hanlp_tutor.data import LabelledText, Span, Split, TaggedText, write_columns, write_labels
from hanlp_tutor.data.words import TaggedWords
from hanlp_tutor.errors import ConfigError, ModelError, TrainingError
from hanlp_tutor.workbench.add_labels import with_labels
from hanlp_tutor.workbench.go_on import go_on
from hanlp_tutor.workbench.job import train_job

CONFIG = TrainConfig(epochs=1, batch_size=8)


def with_dates(count, seed=5):
    """Sentences of the toy with a type more, and without the places."""
    made = []
    for example in tagged(count, seed=seed, longest=20):
        spans = [span for span in example.spans if span.label == "PER"]
        spans.append(Span(len(example), len(example) + 4, "TIME"))
        made.append(TaggedText.from_spans(example.text + "今年春天", spans))
    return made


def texts_of(train, dev=()):
    return Split(list(train), list(dev), [])


@pytest.fixture(scope="module")
def folders(tiny_encoder, tmp_path_factory):
    """Models as a run leaves them."""
    base = tmp_path_factory.mktemp("models")
    made = {}
    for name, task, examples, crf in (("ner", "ner", tagged(20), False), ("crf", "ner", tagged(20), True),
                                      ("classify", "classify", labelled(20), False)):  # fmt: skip
        model = build_model(task, tiny_encoder, label_set(task, examples), TrainConfig(crf=crf, dropout=0.25, seed=9))
        made[name] = save_model(model, base / name)
    return made


@pytest.mark.parametrize("name", ["ner", "crf"])
def test_old_rows_stay_and_new_ones_are_drawn(folders, name):
    old, begun = load_model(folders[name]), go_on(folders[name], "ner", texts_of(with_dates(5)), TrainConfig(seed=3))
    model = begun.model
    assert model.labels == (*old.labels, "B-TIME", "I-TIME")
    assert begun.facts["added"] == ["TIME"] and begun.facts["unseen"] == ["LOC"]
    n = len(old.labels)
    assert torch.equal(model.head.classifier.weight[:n], old.head.classifier.weight)
    assert torch.equal(model.head.classifier.bias[:n], old.head.classifier.bias)
    assert model.head.classifier.weight[n:].any()
    if name == "crf":
        for part, rows in (("transitions", (slice(n), slice(n))), ("start_transitions", slice(n)),
                           ("end_transitions", slice(n))):  # fmt: skip
            assert torch.equal(getattr(model.head.crf, part)[rows], getattr(old.head.crf, part))
    for (key, a), b in zip(old.encoder.state_dict().items(), model.encoder.state_dict().values(), strict=True):
        assert torch.equal(a, b), key
    again = go_on(folders[name], "ner", texts_of(with_dates(5)), TrainConfig(seed=3)).model
    assert torch.equal(model.head.classifier.weight, again.head.classifier.weight)


def test_classes(folders):
    train = [*labelled(6), LabelledText("还行", "middling")]
    begun = go_on(folders["classify"], "classify", texts_of(train), TrainConfig())
    assert begun.model.labels == ("bad", "good", "middling") and begun.facts["added"] == ["middling"]
    same = go_on(folders["classify"], "classify", texts_of(labelled(6)), TrainConfig())
    assert same.model.labels == ("bad", "good") and same.facts["added"] == same.facts["unseen"] == []


def test_without_new_labels_it_is_the_very_model(folders):
    begun = go_on(folders["crf"], "ner", texts_of(tagged(9)), TrainConfig())
    old = load_model(folders["crf"])
    texts = [example.text for example in tagged(5, seed=4)]
    assert Predictor(begun.model.eval()).predict_many(texts) == Predictor(old).predict_many(texts)


def test_a_multi_task_model_goes_on_with_what_it_has_or_is_refused(tiny_encoder, tmp_path):
    train = [TaggedWords("tok", ("张三", "来")), TaggedWords("pos", ("张三", "来"), ("NR", "VV"))]
    model = build_model("multitask", tiny_encoder, label_set("multitask", train), TrainConfig())
    folder = save_model(model, tmp_path / "model")
    assert go_on(folder, "multitask", texts_of(train), TrainConfig()).model.labels == model.labels
    with pytest.raises(ModelError, match="the files are of tok"):
        with_labels(model, label_set("multitask", train[:1]))
    new = [*train, TaggedWords("pos", ("好",), ("AD",))]
    with pytest.raises(ModelError, match=r"goes on with the tasks and tags.*pos/AD"):
        with_labels(model, label_set("multitask", new))


def test_a_job_that_goes_on_learns_the_new_from_where_the_old_ended(small_encoder, tmp_path):
    """The second run begins at the scores of the first one and knows three types at its end."""
    config = TrainConfig(epochs=6, batch_size=8, lr=3e-3, head_lr=3e-3, patience=None)
    first = texts_of(tagged(150), tagged(40, seed=1))
    train_job("ner", first, small_encoder, config, tmp_path / "a", progress="none")
    second = texts_of([*with_dates(60), *tagged(60)], [*with_dates(20, seed=6), *tagged(20, seed=7)])
    metrics = train_job("ner", second, None, config, tmp_path / "b", start=tmp_path / "a" / "model", progress="none")
    assert metrics["best_dev"] > 0.5
    model = load_model(tmp_path / "b" / "model")
    assert {label[2:] for label in model.labels} - {""} == {"LOC", "PER", "TIME"}
    weights = (tmp_path / "a" / "model" / "model.safetensors").read_bytes()
    noted = json.loads((tmp_path / "b" / "manifest.json").read_text(encoding="utf-8"))["from"]
    assert noted == {"path": str(tmp_path / "a" / "model"), "sha256": hashlib.sha256(weights).hexdigest(),
                     "added": ["TIME"], "unseen": []}  # fmt: skip


def test_the_models_build_is_kept_and_a_contradiction_refused(folders, tmp_path):
    split = texts_of(tagged(9), tagged(4, seed=1))
    begun = go_on(folders["crf"], "ner", split, TrainConfig(epochs=1))
    assert begun.config.crf is True and begun.config.dropout == 0.25
    assert begun.config.model_fields_set == {"epochs"}, "what the model has was not given"
    assert go_on(folders["crf"], "ner", split, TrainConfig(dropout=0.0)).config.dropout == 0.0, "what is given is given"
    with pytest.raises(ConfigError, match=r"crf=True.*has no CRF"):
        go_on(folders["ner"], "ner", split, TrainConfig(crf=True))
    with pytest.raises(ConfigError, match=r"crf=False.*has a CRF"):
        go_on(folders["crf"], "ner", split, TrainConfig(crf=False))
    with pytest.raises(ModelError, match="a model of the task ner, and the files are of classify"):
        go_on(folders["ner"], "classify", texts_of(labelled(9)), TrainConfig())
    for encoder, start in (("mini-bert", folders["ner"]), (None, None)):
        with pytest.raises(ConfigError, match="one of the two"):
            train_job("ner", split, encoder, CONFIG, tmp_path / "run", start=start, progress="none")
    with pytest.raises(TrainingError, match="Choose another folder"):
        train_job("ner", split, None, CONFIG, folders["ner"] / "again", start=folders["ner"], progress="none")
    assert not (folders["ner"] / "again").exists()


def test_a_run_is_resumed_from_the_beginning_that_it_had(folders, tiny_encoder, tmp_path, monkeypatch):
    split = texts_of(tagged(16), tagged(4, seed=1))
    config = TrainConfig(epochs=2, batch_size=8)

    def job(out, resume=False, **options):
        return train_job("ner", split, config=config, out=out, resume=resume, progress="none", **options)

    from_ner = {"encoder": None, "start": folders["ner"]}
    whole = job(tmp_path / "whole", **from_ner)
    from hanlp_tutor.core import train

    real = train.save_checkpoint

    def killed(*given, **parts):
        real(*given, **parts)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train, "save_checkpoint", killed)
        job(tmp_path / "run", **from_ner)
    for other in ({"encoder": None, "start": folders["crf"]}, {"encoder": tiny_encoder}):
        with pytest.raises(TrainingError, match="was begun with --from"):
            job(tmp_path / "run", resume=True, **other)
    metrics = job(tmp_path / "run", resume=True, **from_ner)
    assert {**metrics, "seconds": 0} == {**whole, "seconds": 0}
    assert json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))["from"]["added"] == []


def command(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_on_the_command_line(tiny_encoder, tmp_path):
    files = write_split(tmp_path)
    names = [part for name, path in files.items() for part in (f"--{name}", path)]
    options = ["-p", "epochs", "1", "-p", "crf", "true"]
    done = command("train", "--task", "ner", *names, "--encoder", tiny_encoder, "--out", tmp_path / "a", *options)
    assert done.exit_code == 0, done.output
    write_columns(files["train"], [*with_dates(20), *tagged(20)])
    further = ["train", "--task", "ner", *names, "--from", tmp_path / "a", "-p", "epochs", "1"]
    done = command(*further, "--out", tmp_path / "b")
    assert done.exit_code == 0, done.output
    assert "new: TIME" in done.stderr and "crf" in (tmp_path / "b" / "manifest.json").read_text(encoding="utf-8")
    assert load_model(tmp_path / "b" / "model").crf and "B-TIME" in load_model(tmp_path / "b" / "model").labels
    for given, words in (
        (["--encoder", tiny_encoder], "--from and --encoder exclude each other"),
        (["-p", "crf", "false"], "has a CRF"),
    ):
        done = command(*further, "--out", tmp_path / "c", *given)
        assert done.exit_code == 2 and words in done.stderr and not (tmp_path / "c").exists()
    write_labels(tmp_path / "labels.txt", labelled(20))
    done = command("train", "--task", "classify", "--train", tmp_path / "labels.txt", "--from", tmp_path / "a", "--out",
                   tmp_path / "c")  # fmt: skip
    assert done.exit_code == 2 and "a model of the task ner" in done.stderr
    unread = ["--train", tmp_path / "not-there.tsv", "--out", tmp_path / "c"]
    for task, start, words in (
        ("ner", tmp_path / "nowhere", "no such model folder"),
        ("classify", tmp_path / "a", "a model of the task ner"),
    ):
        done = command("train", "--task", task, "--from", start, *unread)
        assert done.exit_code == 2 and words in done.stderr, "before a file is opened"
    done = command("pretrain", "--recipe", "bert", "--tokens", "9", "--from", tmp_path / "nowhere", "--text",
                   tmp_path / "not-there.txt", "--out", tmp_path / "c")  # fmt: skip
    assert done.exit_code == 2 and "nowhere" in done.stderr and not (tmp_path / "c").exists()
    done = command(*further[:-4], tmp_path / "nowhere", "--out", tmp_path / "c")
    assert done.exit_code == 2 and "no such model folder" in done.stderr
