"""A column of patients: no split of the command line tears one apart, and the audit finds where a person did."""

import csv
import json

import pytest
from click.testing import CliRunner

from hanlp_tutor.cli import app
from hanlp_tutor.data import convert, read_examples
from hanlp_tutor.errors import ConfigError, DataError
from hanlp_tutor.workbench.audit import audit
from hanlp_tutor.workbench.job import divide, read_split

PATIENTS = [f"P{number % 30}" for number in range(150)]
ROWS = [(patient, f"第{n}次：{'好转' if n % 2 else '加重'}", "正负"[n % 2]) for n, patient in enumerate(PATIENTS)]


def table(path, rows=ROWS):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows([("病人", "text", "label"), *rows])
    return path


def objects(path, rows=ROWS):
    lines = [json.dumps({"病人": p, "text": t, "label": label}, ensure_ascii=False) for p, t, label in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def doccano(path, rows=ROWS):
    """As an older doccano exports it: what was imported beside the text stands in ``meta``."""
    lines = [{"text": t, "label": [label], "meta": {"病人": p}} for p, t, label in rows]
    path.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in lines), encoding="utf-8")
    return path


def groups_of(part):
    return {example.group for example in part}


@pytest.mark.parametrize(
    ("name", "write"), [("a.csv", table), ("a.tsv", table), ("a.jsonl", objects), ("b.jsonl", doccano)]
)
def test_a_patient_is_in_one_set(tmp_path, name, write):
    path = write(tmp_path / name)
    with pytest.warns(match="150 examples of 30 groups; each group stays in one set"):
        split = read_split("classify", path, group_column="病人")
    split = (split.train, split.dev, split.test)
    parts = [groups_of(part) for part in split]
    assert all(parts) and sum(map(len, parts)) == len(set().union(*parts)) == 30
    assert all(abs(len(part) - wanted) <= 10 for part, wanted in zip(split, (120, 15, 15), strict=True))
    plain = read_split("classify", path)
    assert groups_of(plain.train) == {""}  # and without the option a patient is torn: the same texts
    texts = {text: patient for patient, text, _ in ROWS}
    assert {texts[e.text] for e in plain.test} & {texts[e.text] for e in plain.train}


def test_a_group_is_a_number_by_its_value(tmp_path):
    path = objects(tmp_path / "a.jsonl", [(8, "一", "正"), (8.0, "二", "负"), ("8", "三", "正"), (8.5, "四", "负")])
    assert [each.group for each in read_examples("classify", path, group_column="病人")] == ["8", "8", "8", "8.5"]


def test_an_empty_cell_stands_alone(tmp_path):
    rows = [("" if number < 100 else patient, text, label) for number, (patient, text, label) in enumerate(ROWS)]
    with pytest.warns(match=r"a.csv:2: texts of no group, each of which stands alone: 100 in this file"):
        split = read_split("classify", table(tmp_path / "a.csv", rows), group_column=1)
    assert {"", *PATIENTS} >= groups_of(split.train) and "" in groups_of(split.train) & groups_of(split.test)
    for write, name in ((objects, "a.jsonl"), (doccano, "b.jsonl")):
        with pytest.warns(match=r"jsonl: 100 of 150 texts have no '病人'; each of them stands alone"):
            read_examples("classify", write(tmp_path / name, rows), group_column="病人")


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "short.json"])
def test_tagged_texts_keep_their_group_too(tmp_path, name):
    path = tmp_path / name
    tasks = [
        {"jsonl": {"text": f"{p}去北京", "label": [[len(p) + 1, len(p) + 3, "LOC"]], "病人": p},
         "json": task(p, n)}[path.suffix[1:]]
        for n, p in enumerate(PATIENTS)
    ]  # fmt: skip
    if name == "short.json":
        region = {"start": 3, "end": 5, "text": "北京", "labels": ["LOC"]}
        tasks = [{"id": n, "text": f"他去了北京{n}", "病人": p, "label": [{**region}]} for n, p in enumerate(PATIENTS)]
    path.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in tasks), encoding="utf-8")
    split = read_split("ner", path, group_column="病人")
    parts = [groups_of(part) for part in (split.train, split.dev, split.test)]
    assert all(parts) and sum(map(len, parts)) == 30 and split.train[0].spans
    done = convert(path, tmp_path / "out.bio", to="bio", read={"group_column": "病人"})
    assert done.entities == 150 and any("the groups of 150 texts are not written" in each for each in done.notes)


def task(patient, number):
    """One of Label Studio's, about ``text``."""
    value = {"start": 3, "end": 5, "text": "北京", "labels": ["LOC"]}
    result = {"id": "r", "from_name": "label", "to_name": "text", "type": "labels", "value": value}
    return {
        "id": number,
        "data": {"text": f"他去了北京{number}", "病人": patient},
        "annotations": [{"id": 1, "result": [result]}],
    }


def test_a_label_that_only_dev_has_takes_its_group_to_train(tmp_path):
    for alone in range(0, 150, 7):
        rows = [(p, t, "稀有" if n == alone else label) for n, (p, t, label) in enumerate(ROWS)]
        try:
            split = read_split("classify", table(tmp_path / "a.csv", rows), group_column="病人")
        except DataError:
            continue
        assert "稀有" not in {example.label for example in split.dev}
        assert not groups_of(split.dev) & groups_of(split.train)


def test_what_cannot_be_divided_says_so(tmp_path):
    with pytest.raises(DataError, match=r"a.csv: 4 examples of 1 group to be kept whole are too few"):
        read_split("classify", table(tmp_path / "a.csv", [("P0", t, label) for _, t, label in ROWS[:4]]),
                   group_column="病人")  # fmt: skip
    with pytest.raises(DataError, match=r"a.csv:1: no columns are called 'patient', to be the group"):
        read_examples("classify", table(tmp_path / "a.csv"), group_column="patient")
    with pytest.raises(DataError, match=r"a.jsonl: no text has a 'patient'; there are '病人', 'text', 'label'"):
        read_examples("classify", objects(tmp_path / "a.jsonl"), group_column="patient")
    for write, name in ((table, "a.csv"), (objects, "a.jsonl")):
        with pytest.raises(DataError, match="'label' holds the labels, and cannot say which texts belong together"):
            read_examples("classify", write(tmp_path / name), group_column="label")
    (tmp_path / "p.tsv").write_text("".join(f"{text}\t{label}\n" for _, text, label in ROWS), encoding="utf-8")
    for options in ({}, {"format": "labels"}):  # the file has no third column: no option of it helps
        with pytest.raises((ConfigError, DataError), match=r"no place for .*\. Write a JSON object a line, as doccano"):
            read_examples("classify", tmp_path / "p.tsv", group_column=3, **options)
    with pytest.raises(ConfigError, match=r"group_column is 9, but .* has 3 columns"):
        read_examples("classify", table(tmp_path / "a.csv"), group_column=9)


def test_the_audit_finds_a_patient_in_two_sets(tmp_path):
    train, dev = table(tmp_path / "a.csv", ROWS[:95]), table(tmp_path / "b.csv", ROWS[95:])
    found = audit(train, dev, group_column="病人").of("group-leak")
    assert len(found) == 30 and found[0].severity == "error" and found[0].line and found[0].path == str(dev)
    assert not audit(train, dev).of("group-leak")
    result = CliRunner().invoke(app, ["audit", str(train), "--dev", str(dev), "-r", "group_column", "病人"])
    assert result.exit_code == 1 and "of the group 'P5', which stands in" in result.stdout


def related(path):
    """A doccano export of sentences with a relation; the sentence of two patients is the same."""
    lines = []
    for number, patient in enumerate(PATIENTS):
        name = f"医生{number % 145:03}"
        ends = [{"id": 1, "label": "PER", "start_offset": 0, "end_offset": 5},
                {"id": 2, "label": "ORG", "start_offset": 6, "end_offset": 8}]  # fmt: skip
        relations = [{"from_id": 1, "to_id": 2, "type": "任职" if number % 2 else "离职"}]
        lines.append({"text": f"{name}在甲院", "entities": ends, "relations": relations, "病人": patient})
    path.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in lines), encoding="utf-8")
    return path


def test_a_patients_pairs_are_in_one_set(tmp_path):
    split = read_split("relation", related(tmp_path / "a.jsonl"), group_column="病人")
    for of, number in ((lambda each: each.group, 30), (lambda each: each.text, 145)):
        parts = [set(map(of, part)) for part in (split.train, split.dev, split.test)]
        assert all(parts) and sum(map(len, parts)) == len(set().union(*parts)) == number


def test_a_sentence_goes_to_train_with_its_only_relation(tmp_path):
    lines = "".join(
        f"甲{n}\t乙{n}\t{'罕见' + str(n) if n % 3 == 0 else '任职'}\t甲{n}和乙{n}\n乙{n}\t甲{n}\tNA\t甲{n}和乙{n}\n"
        for n in range(40)
    )
    (tmp_path / "a.tsv").write_text(lines, encoding="utf-8")
    split = read_split("relation", tmp_path / "a.tsv")
    assert split.dev and not {each.text for each in split.dev} & {each.text for each in split.train}


def test_a_division_that_tears_patients_says_so(tmp_path):
    path, stored = table(tmp_path / "a.csv"), tmp_path / "split.json"
    divide("classify", path, stored)
    with pytest.warns(match=r"split.json: \d+ groups stand in two sets, such as 'P.*name a file that is not there"):
        divide("classify", path, stored, group_column="病人")
    train, dev = table(tmp_path / "b.csv", ROWS[:119]), table(tmp_path / "c.csv", ROWS[118:])
    for given in ({"dev": dev}, {"test": dev}):
        with pytest.warns(match=r"b.csv: 30 groups stand in two sets, such as 'P0'.* The audit names them"):
            read_split("classify", train, **given, group_column="病人")
