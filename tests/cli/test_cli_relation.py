"""Relations from the command line: files and exports of label tools, trained, scored, predicted, exported, audited."""

import json
import shlex
from pathlib import Path

import pytest
import toy
from click.testing import CliRunner

from hanlp_tutor.cli import app

FINRE = Path(__file__).parents[3] / "shared" / "data" / "finre"
TYPES = {"甲": "ORG", "乙": "ORG", "丙": "ORG", "丁": "PER"}


def run(*arguments, stdin=None):
    return CliRunner().invoke(app, [str(a) for a in arguments], input=stdin)


def train(task_file, encoder, out, *options):
    quick = ("-p", "epochs", "1", "-p", "batch_size", "8", "--no-baseline", "--json")
    files = ("--train", task_file, "--encoder", encoder, "--out", out)
    return run("train", "--task", "relation", *files, *quick, *options)


def sentences(count):
    """Texts with their entities and one relation: places of the name, its type; head and tail."""
    for number in range(count):
        one, other = "甲乙丙"[number % 3], "甲乙丙"[(number + 1) % 3]
        text = f"{'今' * (number % 5)}{one}收购{other}，丁说。"
        entities = [(text.index(name), TYPES[name]) for name in (one, other, "丁")]
        yield text, entities, (0, 1) if number % 4 else None


def brat(folder: Path) -> Path:
    folder = folder / "brat"
    folder.mkdir()
    for number, (text, entities, pair) in enumerate(sentences(30)):
        lines = [f"T{i}\t{kind} {start} {start + 1}\t{text[start]}\n" for i, (start, kind) in enumerate(entities)]
        lines += [f"R1\t收购 Arg1:T{pair[0]} Arg2:T{pair[1]}\n"] if pair else []
        (folder / f"{number:02}.txt").write_text(text, encoding="utf-8")
        (folder / f"{number:02}.ann").write_text("".join(lines), encoding="utf-8")
    return folder


def doccano(folder: Path) -> Path:
    lines = []
    for text, entities, pair in sentences(30):
        found = [
            {"id": i, "label": kind, "start_offset": start, "end_offset": start + 1}
            for i, (start, kind) in enumerate(entities)
        ]
        relations = [{"id": 9, "from_id": pair[0], "to_id": pair[1], "type": "收购"}] if pair else []
        lines.append(json.dumps({"text": text, "entities": found, "relations": relations}, ensure_ascii=False) + "\n")
    (folder / "a.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder / "a.jsonl"


def label_studio(folder: Path) -> Path:
    tasks = []
    for number, (text, entities, pair) in enumerate(sentences(30)):
        results = [
            {
                "id": f"r{i}",
                "from_name": "label",
                "to_name": "text",
                "type": "labels",
                "value": {"start": start, "end": start + 1, "text": text[start], "labels": [kind]},
            }
            for i, (start, kind) in enumerate(entities)
        ]
        if pair:
            ends = {"from_id": f"r{pair[0]}", "to_id": f"r{pair[1]}"}
            results.append({"type": "relation", "direction": "right", "labels": ["收购"], **ends})
        tasks.append({"id": number, "data": {"text": text}, "annotations": [{"result": results}]})
    (folder / "a.json").write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    return folder / "a.json"


@pytest.fixture(scope="module")
def trained(tiny_encoder, tmp_path_factory):
    """A run folder and the files of it."""
    folder = tmp_path_factory.mktemp("relation")
    files = toy.write_related(folder)
    sets = ("--dev", files["dev"], "--test", files["test"])
    result = train(files["train"], tiny_encoder, folder / "run", *sets)
    assert result.exit_code == 0, result.output
    return folder / "run", files, result


def test_train_says_what_it_learns_and_writes_the_metrics(trained):
    out, files, result = trained
    metrics = json.loads(result.stdout.splitlines()[-1])
    assert metrics == json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["task"] == "relation"
    assert set(metrics["test"]) == {"accuracy", "macro_f1", "micro_f1", "per_class"}
    assert "read as      relation; to learn: " in result.stderr and "micro F1" in result.stderr
    assert f"Note: {files['train']}: 'NA' is taken for no relation" in result.stderr
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["task"] == "relation" and "NA" in manifest["data"]["train_labels"]


def test_evaluate(trained):
    out, files, _ = trained
    result = run("evaluate", out, files["test"], "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1]) == json.loads((out / "metrics.json").read_text())["test"]
    assert "micro F1" in run("evaluate", out, files["test"]).stdout


def test_predict_takes_pairs(trained, tmp_path):
    out, files, _ = trained
    pair = {"head": "甲公司", "tail": "乙公司", "text": "甲公司收购乙公司"}
    lines = [json.dumps(pair, ensure_ascii=False), "\t".join(pair.values()), "「甲公司」收购『乙公司』"]
    result = run("predict", out, "--json", stdin="\n".join(lines) + "\n")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == 3 and answers[0] == answers[1] == answers[2]
    assert set(answers[0]) == {"text", "head", "tail", "relation", "score"}
    shown = run("predict", out, lines[1]).stdout.rstrip("\n").split("\t")
    assert shown[0] == answers[0]["relation"] and shown[2:] == list(pair.values())
    for name, content in (("a.txt", lines[1]), ("a.jsonl", lines[0]), ("b.txt", f"甲公司\t乙公司\tx\t{pair['text']}")):
        (tmp_path / name).write_text(content + "\n", encoding="utf-8")
        result = run("predict", out, "--file", tmp_path / name, "--json")
        assert [json.loads(line) for line in result.stdout.splitlines()] == answers[:1], result.output
    result = run("predict", out, "--file", files["test"], "--out", tmp_path / "out.jsonl")
    assert result.exit_code == 0 and len((tmp_path / "out.jsonl").read_text("utf-8").splitlines()) == 40


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        ("甲\t乙\t甲乙\n甲乙\n", "standard input, line 2: a pair is head, tail and text"),
        ("甲\t丙\t甲乙\n", "standard input, line 1: the tail '丙' does not stand in the sentence '甲乙'. Mend"),
    ],
)
def test_a_line_that_is_no_pair(trained, stdin, message):
    result = run("predict", trained[0], stdin=stdin)
    assert result.exit_code == 2 and message in result.stderr and "Traceback" not in result.output


def test_a_file_with_a_fault_is_refused_with_its_line(trained, tiny_encoder, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("甲\t乙\tx\t甲乙\n甲\t丙\tx\t甲乙\n", encoding="utf-8")
    place = f"Error: {path}:2: the tail '丙' does not stand in the sentence"
    for result in (
        train(path, tiny_encoder, tmp_path / "run"),
        run("evaluate", trained[0], path),
        run("predict", trained[0], "--file", path),
    ):
        assert result.exit_code == 2 and place in result.stderr


def test_the_line_after_an_export_to_onnx_works(trained, tmp_path):
    pytest.importorskip("onnxruntime")
    result = run("export", trained[0], tmp_path / "onnx", "--to", "onnx")
    assert result.exit_code == 0, result.output
    words = shlex.split(result.stdout)
    assert run(*words[words.index("predict") :]).exit_code == 0, result.stdout


def test_serve_shows_a_pair_and_says_where_it_is_none_of_the_model(trained, tmp_path, monkeypatch):
    pytest.importorskip("fastapi")
    serve_app = "hanlp_tutor.serving.server.serve_app"
    monkeypatch.setattr(serve_app, lambda app, *, ready, **options: ready("http://127.0.0.1:1/"))
    told = run("serve", trained[0]).stderr
    assert "Ask it (an example of the form, not of what this model has learnt): curl" in told and "阿司匹林" not in told
    pair = {"head": "甲", "tail": "乙", "text": "甲收购乙"}
    (tmp_path / "pairs.jsonl").write_text(json.dumps(pair, ensure_ascii=False) + "\n", encoding="utf-8")
    told = run("serve", trained[0], "--examples", tmp_path / "pairs.jsonl").stderr
    words = shlex.split(told.partition("Ask it: ")[2])
    assert json.loads(words[-1]) == {"pair": pair}


def test_a_relation_file_for_another_task_is_told_its_line_and_its_task(trained, tiny_encoder, tmp_path):
    path = trained[1]["train"]
    result = run("train", "--task", "classify", "--train", path, "--encoder", tiny_encoder, "--out", tmp_path / "run")
    assert result.exit_code == 2 and f"{path}:1: two columns stand in the fourth" in result.stderr
    assert "--task relation" in result.stderr


def test_export(trained, tmp_path):
    result = run("export", trained[0], tmp_path / "hanlp", "--to", "hanlp")
    assert result.exit_code == 0, result.output
    assert "「 」 『 』" in (tmp_path / "hanlp" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("make", [brat, doccano, label_studio])
def test_exports_of_label_tools(make, tiny_encoder, tmp_path):
    """Pairs of types that have a relation, in training, evaluation, prediction, export and audit alike."""
    path = make(tmp_path)
    result = train(path, tiny_encoder, tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "to learn: NA 26, 收购 18" in result.stderr
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    data = manifest["data"]
    assert data["train_examples"] + data["dev_examples"] + data["test_examples"] == 60, "two pairs of ORG a sentence"
    card = json.loads((tmp_path / "run" / "model" / "model.json").read_text(encoding="utf-8"))
    assert card["type_pairs"] == [["ORG", "ORG"]] and card["negative"] == "NA" and card["markers"] == "「」『』"
    scores = json.loads(run("evaluate", tmp_path / "run", path, "--json").stdout.splitlines()[-1])
    assert scores["per_class"]["收购"]["support"] == 22
    assert sum(each["support"] for each in scores["per_class"].values()) == 60
    result = run("evaluate", tmp_path / "run", path, "--part", "test")
    assert result.exit_code == 0 and "Note" not in result.stderr, "pairs that can have no relation are no fault"
    result = run("predict", tmp_path / "run", "--file", path, "--json")
    assert len(result.stdout.splitlines()) == 60 and "120 pairs left out" in result.stderr
    report = json.loads(run("audit", path, "--task", "relation", "--json").stdout.splitlines()[-1])
    assert report["task"] == "relation" and report["sides"]["train"]["labels"] == {"NA": 38, "收购": 22}
    named = run("audit", path, "--task", "relation", "-r", "negative", "无", "--json").stdout.splitlines()[-1]
    assert json.loads(named)["sides"]["train"]["labels"] == {"无": 38, "收购": 22}
    assert run("export", tmp_path / "run", tmp_path / "hanlp", "--to", "hanlp").exit_code == 0
    exported = run("evaluate", tmp_path / "run", path, "--json").stdout.splitlines()[-1]
    assert json.loads(exported) == scores, "an export leaves the model as it was"


@pytest.mark.skipif(not FINRE.is_dir(), reason="the real data sets are not part of the project")
def test_the_commands_on_finre(tiny_encoder, tmp_path):
    """The first lines of the published corpus, as they are."""
    files = {}
    for name, count in (("train", 320), ("valid", 120)):
        lines = (FINRE / f"{name}.txt").read_text(encoding="utf-8").splitlines(keepends=True)
        files[name] = tmp_path / f"{name}.txt"
        files[name].write_text("".join(lines[:count]), encoding="utf-8")
    out = tmp_path / "run"
    result = train(files["train"], tiny_encoder, out, "--dev", files["valid"], "-r", "negative", "unknown")
    assert result.exit_code == 0, result.output
    scores = json.loads(run("evaluate", out, files["valid"], "--json").stdout.splitlines()[-1])
    pairs = sum(each["support"] for each in scores["per_class"].values())
    assert pairs == len(run("predict", out, "--file", files["valid"], "--json").stdout.splitlines()) > 50
    assert "micro_f1" in scores
    assert run("export", out, tmp_path / "hanlp", "--to", "hanlp").exit_code == 0
    report = run("audit", files["train"], "--task", "relation", "-r", "negative", "unknown", "--json").stdout
    labels = json.loads(report.splitlines()[-1])["sides"]["train"]["labels"]
    assert "unknown" in labels and len(labels) > 10


def test_the_negative_class_by_name(tiny_encoder, tmp_path):
    files = toy.write_related(tmp_path)
    result = train(files["train"], tiny_encoder, tmp_path / "run", "-r", "negative", "起诉")
    assert result.exit_code == 0 and "is taken for no relation" not in result.stderr
    card = json.loads((tmp_path / "run" / "model" / "model.json").read_text(encoding="utf-8"))
    assert card["negative"] == "起诉"
    result = train(files["train"], tiny_encoder, tmp_path / "other", "-r", "negative", "起拆")
    assert result.exit_code == 2
    assert "'起拆', which was named as the negative class; there are NA, 收购" in result.stderr
