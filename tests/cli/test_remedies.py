"""Every remedy that an error prints is taken from the message, typed, and works.

``READERS`` and ``COMMANDS`` are a table to be extended: whoever writes a message that names an option or a command
adds a case that provokes it. A scan of the package finds the places that print one; each has a case here, or is named
with the test that executes it elsewhere, or with the reason why there is nothing to execute.
"""

import ast
import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hanlp_tutor.cli import app
from hanlp_tutor.data.reader_options import PLACEHOLDERS

PACKAGE = Path(__file__).parents[2] / "hanlp_tutor"
FLAG = re.compile(r"(?<![\w-])(?:--[a-z][a-z-]*|-[a-z])(?![\w-])")


def run(words):
    return CliRunner().invoke(app, [str(word) for word in words])


def options_in(message, command, fill):
    """The options that a message tells people to type after a command, each as its words.

    The command says how many words follow a flag; one that it does not know is a remedy that does not work.
    """
    known = {flag: option for option in app.commands[command].params for flag in (*option.opts, *option.secondary_opts)}
    found = []
    for flag in FLAG.finditer(message):
        following = message[flag.end() :].split()
        if any(" ".join([flag[0], *following[:words]]).rstrip(".,:") in fill for words in (1, 2)):
            continue
        option = known.get(flag[0])
        assert option is not None, f"{command} has no {flag[0]}, which it tells people to pass: {message}"
        wanted = 0 if getattr(option, "is_flag", False) else option.nargs
        rest = re.split(r" \(in Python", message[flag.end() :])[0]
        lexer = shlex.shlex(rest, posix=True, punctuation_chars=False)
        lexer.whitespace_split, lexer.commenters = True, ""
        values = [next(lexer).rstrip(".,;:)") for _ in range(wanted)]
        words = [flag[0], *(fill.get(value, value) for value in values)]
        assert not PLACEHOLDERS & set(words), f"the case fills none of {words}"
        if words not in found:
            found.append(words)
    return found


def without(command, left_out):
    """A command without some of its options: a flag, or a flag with its first value."""
    words = [str(word) for word in command]
    for flags in left_out:
        first, *rest = flags.split()
        place = next(i for i, w in enumerate(words) if w == first and (not rest or words[i + 1] == rest[0]))
        option = next(o for o in app.commands[words[0]].params if first in o.opts)
        del words[place : place + 1 + (0 if option.is_flag else option.nargs)]
    return words


def message_of(result):
    """The text of the error, exit code 2; what else is on standard error comes before it."""
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit) and "Traceback" not in result.output
    return result.stderr[result.stderr.index("Error: ") :]


@pytest.fixture(autouse=True)
def _nothing_is_trained(tmp_path, monkeypatch):
    """Commands run in an empty folder, and ``train`` ends where the training would begin."""

    def train_job(task, split, *arguments, **options):
        assert split.train
        return {"task": task, "best_dev": None, "test": None, "seconds": 0.0}

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hanlp_tutor.workbench.job.train_job", train_job)


def write(files):
    for name, content in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        content = content if isinstance(content, (str, bytes)) else json.dumps(content, ensure_ascii=False)
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


# --- errors of readers: their remedy works on every command that reads the file ----------------------------------


@dataclass(frozen=True)
class Reading:
    """A file that a reader refuses, with a remedy.

    ``places``: ``module:function`` of what prints it. ``files``: by name, the first is read. ``task``; ``options`` of
    all commands, such as ``--format``; ``fill``: what people choose for a word in capitals, and None for an option that
    is another way out; ``left_out``: options that the remedy replaces; ``says``: words of the message; ``to``: what
    ``convert`` makes of the file.
    """

    places: tuple[str, ...]
    files: dict
    task: str = "ner"
    options: tuple[str, ...] = ()
    fill: dict = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    says: str = ""
    to: str = "label-studio"


COUNT = 24  # examples, so that some can be held out


def rows(*tags, count=COUNT, characters="北京人"):
    """A column file of sentences with these tags."""
    sentence = "".join(f"{character}\t{tag}\n" for character, tag in zip(characters, tags, strict=False))
    return "\n".join(f"{number}\tO\n{sentence}" for number in range(count))


def task_of_label_studio(number, *results, text=None, others=()):
    """A task with an annotation of each person: the results of ``completed_by`` 1, then those of 2."""
    annotations = [{"completed_by": person, "result": list(each)} for person, each in enumerate((results, *others), 1)]
    return {"id": number, "data": text or {"text": f"北京第{number}公司"}, "annotations": annotations}


def entity(start, end, label="NS", to_name="text", **value):
    value = {"start": start, "end": end, "labels": [label], **value}
    return {"from_name": "label", "to_name": to_name, "type": "labels", "value": value}


def choice(*choices, from_name="class"):
    return {"from_name": from_name, "to_name": "text", "type": "choices", "value": {"choices": list(choices)}}


def lines(make, count=COUNT):
    return "".join(json.dumps(make(number), ensure_ascii=False) + "\n" for number in range(count))


LABELS = "".join(
    f"第{number}条很{'好' if number % 2 else '差'}\t{'正' if number % 2 else '负'}\n" for number in range(COUNT)
)
TABLE = "id,评语,极性\n" + "".join(f"{number},第{number}条很好,{'正负'[number % 2]}\n" for number in range(COUNT))
FILMS = "text,label\n" + "".join(f"good film {n},pos\nbad film {n},neg\n" for n in range(COUNT))
HOTELS = "text,label\n" + "".join(f"這個飯店很{'好壞'[n % 2]}{n},{'正負'[n % 2]}\n" for n in range(COUNT))

READERS = {
    "segmentation digits": Reading(
        ("data/columns.py:read_rows",),
        {"a.tsv": "\n".join("科0\tB-NOM\n技1\tI-NOM\n大0\tO\n" for _ in range(COUNT))},
    ),
    "a tag of another scheme": Reading(
        ("data/columns.py:_in_scheme",),
        {"a.tsv": rows("B-NS", "E-NS", "O")},
        options=("--scheme", "BIO"),
        left_out=("--scheme",),
        fill={"NAME": "BMES"},
    ),
    "two schemes": Reading(
        ("data/schemes.py:detect_scheme",),
        {"a.tsv": rows("B-NS", "M-NS", "E-NS") + "\n" + rows("B-NS", "I-NS", "E-NS")},
    ),
    "overlapping entities": Reading(
        ("data/documents.py:_refuse",),
        {"a.jsonl": lines(lambda n: {"text": f"北京大学{n}", "label": [[0, 4, "ORG"], [0, 2, "LOC"]]})},
    ),
    "GB18030": Reading(("data/lines.py:_encoding_advice",), {"a.tsv": rows("B-NS", "I-NS", "O").encode("gb18030")}),
    "UTF-8 beside GBK": Reading(
        ("data/lines.py:_encoding_advice",),
        {"a.tsv": rows("B-NS", "I-NS", "O")},
        options=("--encoding", "gbk"),
        left_out=("--encoding",),
        fill={"--encoding utf-8": None},  # for this file alone
    ),
    "UTF-16": Reading(("data/lines.py:_encoding_advice",), {"a.tsv": rows("B-NS", "I-NS", "O").encode("utf-16")}),
    "UTF-16 without its mark": Reading(
        ("data/lines.py:_decode_unknown",),
        {"a.csv": FILMS.encode("utf-16-le")},
        task="classify",
        options=("--format", "csv", "-r", "encoding", "none"),
        left_out=("-r encoding",),
        to="labels",
    ),
    "Big5": Reading(
        ("data/lines.py:_decode_unknown",),
        {"a.csv": HOTELS.encode("big5")},
        task="classify",
        options=("--format", "csv", "-r", "encoding", "none"),
        left_out=("-r encoding",),
        fill={"NAME": "big5"},
        to="labels",
    ),
    "two annotators": Reading(
        ("data/formats/label_studio_task.py:_one_of",),
        {"a.json": [task_of_label_studio(0, entity(0, 2), others=[[entity(0, 2, "NT")]]),
                    *(task_of_label_studio(n, entity(0, 2)) for n in range(1, COUNT))]},
    ),
    "two keys": Reading(
        ("data/formats/label_studio_task.py:Task._choose_key",),
        {"a.json": [task_of_label_studio(n, entity(0, 2, to_name="shown"), text={"title": f"第{n}", "body": f"北京{n}"})
                    for n in range(COUNT)]},
        fill={"NAME": "body"},
    ),
    "a key that is not there": Reading(
        ("data/formats/label_studio_task.py:Task._choose_key",),
        {"a.json": [task_of_label_studio(n, entity(0, 2, text="北京"), text={"title": f"第{n}条", "body": f"北京{n}"})
                    for n in range(COUNT)]},
        options=("-r", "text_key", "boddy"),
        left_out=("-r text_key",),
    ),
    "results about two texts": Reading(
        ("data/formats/label_studio_task.py:Task._key",),
        {"a.json": [task_of_label_studio(n, entity(0, 2, to_name="title"), entity(0, 2, to_name="body"),
                                         text={"title": f"南京{n}", "body": f"北京{n}"}) for n in range(COUNT)]},
    ),
    "two control tags": Reading(
        ("data/formats/label_studio_task.py:Task.draft",),
        {"a.json": [task_of_label_studio(n, choice("正负"[n % 2]), choice("新", from_name="age"))
                    for n in range(COUNT)]},
        task="classify",
        fill={"NAME": "class"},
    ),
    "several choices": Reading(
        ("data/formats/one_class.py:one_class",),
        {"a.json": [task_of_label_studio(n, choice(*("正负"[n % 2], "新"))) for n in range(COUNT)]},
        task="classify",
        fill={"-r from_name": None},  # the other way, where there are several control tags
    ),
    "JSON-MIN without its text": Reading(
        ("data/formats/label_studio_min.py:short_draft",),
        {"a.json": [{"id": n, "annotation_id": n, "body": f"第{n}条", "class": "正负"[n % 2]} for n in range(COUNT)]},
        task="classify",
        options=("--format", "label-studio-min"),
        fill={"NAME": "body"},
    ),
    "JSON-MIN with two strings": Reading(
        ("data/formats/label_studio_min.py:short_draft",),
        {"a.json": [{"id": n, "annotation_id": n, "text": f"第{n}条", "class": "正负"[n % 2], "from": "新"}
                    for n in range(COUNT)]},
        task="classify",
        options=("--format", "label-studio-min"),
        fill={"NAME": "class"},
    ),
    "CoNLL of Label Studio, words": Reading(
        ("data/formats/label_studio_conll.py:",),
        {"a.conll": "-DOCSTART- -X- O\n" + "\n".join(f"北京 -X- _ B-NS\n{n} -X- _ O\n" for n in range(COUNT))},
        options=("--format", "label-studio-conll"),
    ),
    "no table column of this name": Reading(
        ("data/formats/tables.py:_column",),
        {"a.csv": TABLE},
        task="classify",
        options=("--format", "csv", "-r", "label_column", "极性"),
        left_out=("-r label_column",),
        fill={"NAME": "评语", "-r header": None},
    ),
    "tags without their texts": Reading(
        ("data/formats/parallel.py:texts_beside",),
        {"tags.txt": "B-NS I-NS O\n" * COUNT, "sentences": "".join(f"北京{n % 10}\n" for n in range(COUNT))},
        options=("--format", "tag-lines"),
        fill={"FILE": "sentences", "-w texts": None},
    ),
    "a row without a label": Reading(
        ("data/formats/tables.py:_document",),
        {"a.csv": "text,label\n第0条,\n" + "".join(f"第{n}条很好,{'正负'[n % 2]}\n" for n in range(1, COUNT))},
        task="classify",
        options=("--format", "csv"),
    ),
    "two texts with a quote of their own": Reading(
        ("data/formats/tables.py:_check_swallowed",),
        {"a.tsv": "text\tlabel\n" + "".join(f'{"" if n else chr(34)}第{n}条\t{"正负"[n % 2]}\n' for n in range(9))
                  + "".join(f'第{n}条"\t{"正负"[n % 2]}\n' for n in range(9, COUNT))},
        task="classify",
        options=("--format", "tsv"),
        fill={"-r quotes true": None},  # the other way
    ),
    "a quote that never closes": Reading(
        ("data/formats/tables.py:_rows",),
        {"a.tsv": "text\tlabel\n" + "".join(f'{chr(34)}第{n}条\t{"正负"[n % 2]}\n' for n in range(COUNT))},
        task="classify",
        options=("--format", "tsv"),
    ),
    "JSON-MIN about another string": Reading(
        ("data/formats/label_studio_min.py:_check_about",),
        {"a.json": [{"id": n, "annotation_id": n, "text": f"南方{n}", "body": f"在北京{n}",
                     "label": [{"start": 1, "end": 3, "text": "北京", "labels": ["NS"]}]} for n in range(COUNT)]},
        options=("--format", "label-studio-min"),
    ),
    "a misspelt option": Reading(
        ("data/formats/format.py:check_options",),
        {"a.csv": TABLE},
        task="classify",
        options=("--format", "csv", "-r", "text_column", "评语", "-r", "label_colum", "极性"),
        left_out=("-r label_colum",),
    ),
    "an option of another type": Reading(
        ("data/formats/format.py:check_options",),
        {"a.json": [task_of_label_studio(n, entity(0, 2), text={"1": f"北京{n}", "2": "x"}) for n in range(COUNT)]},
        options=("-r", "text_key", "1"),
        left_out=("-r text_key",),
    ),
    "a line with fewer columns": Reading(
        ("data/column_layout.py:Layout.plain",),
        {"a.tsv": rows("B-NS", "I-NS", "O")},
        options=("--format", "columns", "-r", "tag_column", "9"),
        left_out=("-r tag_column",),
        fill={"NUMBER": "2"},
    ),
    "four columns": Reading(
        ("data/looks_like.py:_columns",),
        {"a.tsv": "\n".join(f"北 NR {n} B-NS\n京 NR {n} I-NS\n人 NN {n} O\n" for n in range(COUNT))},
    ),
    "more than two columns": Reading(
        ("data/columns.py:_cells",),
        {"a.tsv": "\n".join(f"北 NR B-NS\n京 NR I-NS\n人 {n} O\n" for n in range(COUNT))},
        options=("--format", "bio"),
        left_out=("--format",),
    ),
    "a table without a header": Reading(
        ("data/looks_like.py:_table",),
        {"a.csv": "".join(f"{n},第{n}条评语,{'正负'[n % 2]}\n" for n in range(COUNT))},
        task="classify",
        to="labels",
    ),
    "JSON with keys of its own": Reading(
        ("data/looks_like.py:_keys",),
        {"a.jsonl": lines(lambda n: {"body": f"第{n}条", "label": "正负"[n % 2]})},
        task="classify",
        fill={"KEY": "body"},
        to="labels",
    ),
    "no blank lines": Reading(
        ("data/looks_like.py:one_sentence",),
        {"a.tsv": "北\tB-NS\n京\tI-NS\n。\tO\n" * COUNT},
    ),
    "labels first": Reading(
        ("data/labels.py:read_labels",),
        {"a.tsv": "".join(f"{'正负'[n % 2]}\t第{n}条评语写得很长\n" for n in range(COUNT))},
        task="classify",
        fill={"-r label_first false": None},  # the other way
        to="labels",
    ),
    "numbered texts": Reading(
        ("data/labels.py:_check_no_numbers",),
        {"a.tsv": "".join(f"{n}\t第{n}条评语\t{'正负'[n % 2]}\n" for n in range(COUNT))},
        task="classify",
        to="labels",
    ),
    "pairs of texts in a table": Reading(
        ("data/formats/tables.py:_check_no_pairs",),
        {"a.tsv": "text_a\ttext_b\tlabel\n" + "".join(f"第{n}条\t另{n}条\t{'正负'[n % 2]}\n" for n in range(COUNT))},
        task="classify",
        to="labels",
    ),
    "heads of columns in the first line": Reading(
        ("data/labels.py:_check_no_heads",),
        {"a.tsv": "评语\t情感\n" + "".join(f"第{n}条评语\t{'正负'[n % 2]}\n" for n in range(COUNT))},
        task="classify",
        to="labels",
    ),
    "JSON whose keys are not the usual ones": Reading(
        ("data/formats/json_labels.py:_key",),
        {"a.jsonl": lines(lambda n: {"body": f"第{n}条", "label": "正负"[n % 2]})},
        task="classify",
        options=("--format", "json-labels"),
        fill={"KEY": "body"},
        to="labels",
    ),
    "ends that nothing proves": Reading(
        ("data/formats/json_spans.py:_decide",),
        {"a.jsonl": lines(lambda n: {"text": f"北京{n}",
                                     "entities": [{"start_idx": 0, "end_idx": 1, "type": "NS"}]})},
        options=("--format", "json-spans"),
        fill={"-r ends exclusive": None},  # the other way
    ),
    "tags that are numbers": Reading(
        ("data/formats/json_tokens.py:_tags",),
        {"a.jsonl": lines(lambda n: {"tokens": ["北", "京", str(n)], "ner_tags": [1, 2, 0]})},
        options=("--format", "json-tokens"),
        fill={"VALUE": "O,B-NS,I-NS"},
    ),
    "offsets that can be read in two ways": Reading(
        ("data/formats/offsets.py:_undecided",),
        {"a.jsonl": lines(lambda n: {"text": f"𠮷北京上海{n}", "label": [[2, 4, "NS"]]})},
    ),
}  # fmt: skip


def commands_for(case):
    """Every command that reads the file, without what the remedy adds."""
    source = next(iter(case.files))
    yield ["train", "--task", case.task, "--train", source, "--out", "run", *case.options]
    yield ["convert", source, "target", "--to", case.to, *case.options]
    yield ["audit", source, "--task", case.task, *case.options]


@pytest.mark.parametrize("name", READERS)
def test_a_readers_remedy_works_on_every_command(name):
    case = READERS[name]
    write(case.files)
    train, *others = commands_for(case)
    message = message_of(run(train))
    assert case.says in message
    for command in (train, *others):
        remedies = options_in(message, command[0], case.fill)
        assert remedies, message
        again = run([*without(command, case.left_out), *(word for words in remedies for word in words)])
        assert again.exit_code in ((0, 1) if command[0] == "audit" else (0,)), (command, remedies, again.output)
        assert "Error: " not in again.stderr


# --- other errors of commands -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """A command that is refused, or that notes something, with a remedy; attributes as for :class:`Reading`."""

    places: tuple[str, ...]
    command: str
    files: dict = field(default_factory=dict)
    fill: dict = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    says: str = ""
    notes: bool = False


NER = rows("B-NS", "I-NS", "O")
NESTED = lines(lambda n: {"text": f"北京大学{n}", "label": [[0, 4, "ORG"], [0, 2, "LOC"]]})
TWO_LINES = lines(lambda n: {"text": f"北京{n}\n上海", "label": [[0, 2, "NS"]]})
RELATED = lines(
    lambda n: {
        "text": f"张三\n北京{n}",
        "entities": [
            {"id": 1, "label": "PER", "start_offset": 0, "end_offset": 2},
            {"id": 2, "label": "LOC", "start_offset": 3, "end_offset": 5},
        ],
        "relations": [{"from_id": 1, "to_id": 2, "type": "in"}],
    }
)
REPEATED = [{"text": f"北京的北京{n}", "label": [[3, 5, "head"], [1, 2, "tail"]]} for n in range(3)]

COMMANDS = {
    "too few to hold out": Command(
        ("workbench/job.py:read_split",),
        "train --task ner --train a.tsv --out run",
        {"a.tsv": rows("B-NS", "I-NS", count=2), "dev.tsv": NER, "test.tsv": NER},
        says="Give --dev FILE",
        fill={"FILE": "dev.tsv"},
    ),
    "--split of several tasks": Command(
        ("cli/training.py:train",),
        "train --task multitask --train tok=a.tsv --split s.json --out run",
        {"a.tsv": "北京\tNR\n人\tNN\n\n" * COUNT},
        fill={"FILE": "tok=a.tsv", "--split divides": None},
        left_out=("--split",),
    ),
    "columns for classes": Command(
        ("data/labels.py:_check_no_tags",),
        "train --task classify --train a.tsv --out run",
        {"a.tsv": NER},
    ),
    "classes for entities": Command(
        ("data/looks_like.py:other_task",),
        "train --task ner --train a.jsonl --out run",
        {"a.jsonl": lines(lambda n: {"text": f"第{n}条", "label": ["正负"[n % 2]]})},
    ),
    "another format": Command(
        ("data/looks_like.py:_of_another_format",),
        "train --task classify --train a.jsonl --format csv --out run",
        {"a.jsonl": lines(lambda n: {"text": f"第{n}条", "label": ["正负"[n % 2]]})},
        left_out=("--format",),
    ),
    "a key of groups that no text has": Command(
        ("data/formats/json_objects.py:check_group_key",),
        "audit a.jsonl -r group_column patiant",
        {"a.jsonl": lines(lambda n: {"text": f"第{n}条", "label": ["正负"[n % 2]], "patient": f"P{n}"})},
        fill={"KEY": "patient"},
        left_out=("-r group_column",),
    ),
    "relations for classes": Command(
        ("data/labels.py:_check_no_numbers",),
        "train --task classify --train a.tsv --out run",
        {"a.tsv": "".join(f"甲{n}\t乙{n}\t{'爱恨'[n % 2]}\t甲{n}和乙{n}\n" for n in range(COUNT))},
        left_out=("--task",),
    ),
    "classes for relations": Command(
        ("data/relation_files.py:examples_of",),
        "train --task relation --train a.csv --out run",
        {"a.csv": "text,label\n" + "".join(f"第{n}条,{'正负'[n % 2]}\n" for n in range(COUNT))},
        left_out=("--task",),
    ),
    "labels for groups": Command(
        ("data/formats/json_objects.py:check_group_key",),
        "audit a.jsonl -r group_column label",
        {"a.jsonl": lines(lambda n: {"text": f"第{n}条", "label": ["正负"[n % 2]], "patient": f"P{n}"})},
        fill={"KEY": "patient"},
        left_out=("-r group_column",),
    ),
    "labels for groups, in a table": Command(
        ("data/formats/tables.py:_group",),
        "audit a.csv -r group_column label",
        {"a.csv": "text,label,patient\n" + "".join(f"第{n}条,{'正负'[n % 2]},P{n}\n" for n in range(COUNT))},
        fill={"NAME": "patient"},
        left_out=("-r group_column",),
    ),
    "a column by name without a header": Command(
        ("data/formats/tables.py:_column",),
        "audit a.csv -r header false -r text_column 1 -r label_column 2 -r group_column patient",
        {"a.csv": "".join(f"第{n}条,{'正负'[n % 2]},P{n}\n" for n in range(COUNT))},
        fill={"NUMBER": "3"},
        left_out=("-r group_column",),
    ),
    "a writer's misspelt option": Command(
        ("data/formats/format.py:check_options",),
        "convert a.tsv target --to bio -w seperator space",
        {"a.tsv": NER},
        left_out=("-w seperator",),
    ),
    "what a format cannot hold": Command(
        ("data/formats/format.py:check_carries",),
        "convert a.jsonl target --to bio --overlaps keep",
        {"a.jsonl": NESTED},
        left_out=("--overlaps",),
    ),
    "relations that a format cannot hold": Command(
        ("data/formats/format.py:check_carries",),
        "convert a.jsonl target --to clue -r relations true",
        {"a.jsonl": RELATED},
    ),
    "a relation over a line end": Command(
        ("data/documents.py:split_at_line_feeds",),
        "convert a.jsonl target --to doccano --split-lines",
        {"a.jsonl": RELATED},
    ),
    "a text of two lines": Command(
        ("data/formats/label_studio_conll.py:write_label_studio_conll",),
        "convert a.jsonl target --to label-studio-conll",
        {"a.jsonl": TWO_LINES},
    ),
    "a text of two lines beside its tags": Command(
        ("data/formats/parallel.py:_write",), "convert a.jsonl target.tags --to tag-lines", {"a.jsonl": TWO_LINES}
    ),
    "a prepared file where another lies": Command(
        ("data/large.py:open_large",),
        "train --task ner --train a.tsv --out run",
        {"a.tsv": NER, "a.tsv.large": "something else"},
        fill={"FOLDER": "prepared"},
    ),
    "options of a file that is not named": Command(
        ("cli/models.py:predict",),
        "predict model -r encoding gb18030",
        {"a.txt": "北京\n".encode("gb18030")},
        fill={"FILE": "a.txt"},
    ),
    "a file that is read as another format": Command(
        ("cli/models.py:_texts",), "predict model --file a.tsv", {"a.tsv": NER}, notes=True
    ),
    "no memory": Command(
        ("cli/speaking.py:in_words",), "train --task ner --train a.tsv --out run", {"a.tsv": NER}, says="memory ran out"
    ),
    "a space that says nothing": Command(
        ("workbench/tuning/space.py:parse_pairs",),
        "tune --task ner --train a.tsv --out study --trials 1 --space lr",
        {"a.tsv": NER},
        fill={"lr=LOW..HIGH": "lr=1e-4..1e-3", "--space lr": None},
        left_out=("--space",),
        says="--space",
    ),
}


@pytest.fixture
def model(monkeypatch):
    """``predict model`` answers without a model, and large files begin at ten bytes; ``no memory`` fails once."""
    from hanlp_tutor.core.predict import Predictor

    class Answers:
        def predict_many(self, texts):
            return [{"text": text, "entities": []} for text in texts]

    monkeypatch.setattr(Predictor, "load", lambda folder: Answers())
    Path("model").mkdir()
    Path("model/model.json").write_text("{}", encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_remedy_of_a_command_works(name, model, monkeypatch):
    case = COMMANDS[name]
    write(case.files)
    command = case.command.split()
    monkeypatch.setattr("hanlp_tutor.workbench.tuning.search.tune", searched)
    if "large" in " ".join(case.places):
        monkeypatch.setattr("hanlp_tutor.workbench.job.LARGE", 10)
    with monkeypatch.context() as patch:
        if name == "no memory":
            patch.setattr("hanlp_tutor.cli.training.read_sets", lambda *_: (_ for _ in ()).throw(MemoryError))
        result = run(command)
    if case.notes:
        assert result.exit_code == 0
        message = "".join(line for line in result.stderr.splitlines(True) if line.startswith("Note: "))
    else:
        message = message_of(result)
    assert case.says in message
    remedies = options_in(message, command[0], case.fill)
    assert remedies, message
    again = run([*without(command, case.left_out), *(word for words in remedies for word in words)])
    assert again.exit_code == 0 and "Error: " not in again.stderr, again.output
    assert not case.notes or again.output != result.output


def searched(*arguments, **options):
    from hanlp_tutor.workbench.tuning.search import Search

    return Search([{"dev": 0.5, "options": {}, "trial": 0}], {}, 0, {}, {})


def test_split_leaves_out_what_it_divides():
    write({"a.tsv": NER, "dev.tsv": NER})
    command = ["train", "--task", "ner", "--train", "a.tsv", "--out", "run", "--dev", "dev.tsv", "--split", "s.json"]
    assert "leave out --dev" in message_of(run(command))
    assert run(without(command, ["--dev"])).exit_code == 0
    command = ["tune", "--space", "lr=1e-4,1e-3", *command[1:]]
    assert "leave out --dev." in message_of(run(command))


def test_the_segmentation_digits_that_a_line_lacks():
    write({"a.tsv": NER})
    command = ["train", "--task", "ner", "--train", "a.tsv", "--out", "run", "--strip-segmentation-digits"]
    assert "without --strip-segmentation-digits" in message_of(run(command))
    assert run(command[:-1]).exit_code == 0


def test_what_an_audit_advises_works_in_a_training():
    """The remedies of findings are for ``train`` and for the audit itself."""
    files = {
        "digits.tsv": READERS["segmentation digits"].files["a.tsv"],
        "gb.tsv": NER.encode("gb18030"),
        "nested.jsonl": NESTED,
    }
    write(files)
    for source, found in zip(files, ("segmentation-digit", "encoding", "overlap"), strict=True):
        report = json.loads(run(["audit", source, "--task", "ner", "--json"]).stdout)
        remedies = [finding["remedy"] for finding in report["findings"] if finding["kind"] == found]
        words = [word for option in options_in(remedies[0], "audit", {}) for word in option]
        assert words
        assert run(["audit", source, "--task", "ner", *words]).exit_code == 0
        assert run(["train", "--task", "ner", "--train", source, "--out", "run", *words]).exit_code == 0


# --- nothing is forgotten ---------------------------------------------------------------------------------------------

ELSEWHERE = {
    "workbench/runner.py:": "names convert; tests/workbench/test_runner.py",
    "cli/speaking.py:in_processes.wrapper": "tests/core/test_parallel.py goes on by --resume after a kill",
    "cli/options.py:reading_options": "test_cli_reading.py: one of two options is to be left out",
    "cli/data.py:convert": "--json prints all notes: test_convert.py",
    "cli/models.py:_compared_on": "a note; tests/serving/test_onnx.py gives texts and pairs of its own",
    "cli/models.py:export": "options that need one another; tests/serving/test_onnx.py",
    "cli/training.py:run": "test_cli_run.py, test_ctrl_c_leaves_the_notebook_as_far_as_it_got",
    "cli/training.py:pretrain": "the word of test_cli_machine.py, test_ctrl_c_prints_the_command_that_goes_on",
    "cli/tuning.py:tune": "test_split_leaves_out_what_it_divides",
    "core/checkpoint.py:load_checkpoint": "tells to leave an option out; tests/core",
    "core/parallel.py:join": "torchrun's option; tests/core/test_parallel.py",
    "core/run.py:Run.start": "test_cli_machine.py executes --resume; here it is the same word",
    "data/columns.py:_without_digit": "test_the_segmentation_digits_that_a_line_lacks",
    "data/formats/doccano.py:_draft": "tests/data, by the reader's own options",
    "data/formats/format.py:_all_of": "a list of all options; test_cli_reading.py",
    "data/formats/label_studio_min.py:note_own_classes": "a note; tests/data/test_label_studio.py",
    "data/formats/tables.py:_table_format.read": "a header and nothing else: taken for a row it is one example",
    "data/formats/label_files.py:_write_relations": "tests/data/test_relations.py",
    "data/formats/offsets.py:_by_the_others": "tests/data/test_offsets.py",
    "data/formats/offsets.py:_misfit": "tells to leave an option out; tests/data/test_offsets.py",
    "data/formats/parallel.py:_tagged": "the scheme of tag lines, as of columns",
    "data/formats/placing.py:_without_unlabelled": "a note; tests/data",
    "data/known_labels.py:check_known": "tests/data/test_known_labels.py, by the reader's own option",
    "data/reader_options.py:pass_option": "the wording itself",
    "data/reader_options.py:pass_options": "the wording itself",
    "data/relation_files.py:note_negative": "a note; tests/cli/test_cli_relation.py",
    "data/words.py:read_words": "train --task ner, another task",
    "hanlp_bridge/article.py:HanLP.load": "tests/hanlp_bridge",
    "hanlp_bridge/readme.py:": "the text of a file",
    "manifest.py:_git_state": "options of git",
    "pretraining/job.py:pretrain_job": "another --out",
    "pretraining/loop.py:pretrain": "tests/pretraining/test_pretrain.py resumes",
    "pretraining/text.py:read_text": "the corpora of the kit are there always",
    "run_folder.py:other_run": "tests/core/test_resume.py reads the options back",
    "run_folder.py:why_no_model": "test_cli_machine.py",
    "run_folder.py:_how_to_finish": "test_cli_machine.py executes the command",
    "cli/batch_files.py:label_files": "test_cli_batch_files.py types it",
    "cli/serving.py:serve": "a note; tests/serving/test_serve.py",
    "serving/app.py:": "options of serve; tests/serving/test_app.py",
    "serving/gate.py:Gate": "an option of serve; tests/serving/test_app.py",
    "serving/app.py:create_app": "the title of the service's description",
    "serving/batch_forms.py:_Columns.line": "test_cli_batch_files.py types it",
    "serving/batch_forms.py:_Csv._no_column": "test_cli_batch_files.py types it",
    "serving/batch_forms.py:_Jsonl.records": "test_cli_batch_files.py types it",
    "serving/batch_forms.py:Reader._error": "test_cli_batch_files.py types it",
    "serving/batch_files.py:_alone": "tells to name another file",
    "serving/batch_files.py:_check_ending": "tells to name another file; tests/serving/test_batch_files.py",
    "serving/batch_files.py:_checked": "a command of iconv; tests/serving/test_batch_files.py",
    "serving/batch_forms.py:form_of": "test_cli_batch_files.py types it",
    "serving/batch_files.py:_state": "test_cli_batch_files.py types it",
    "serving/batch_files.py:_target": "tells to name another file",
    "serving/batch_files.py:label_file": "tells to name another file",
    "serving/server.py:serve_app": "tests/serving/test_serve.py listens at --port 0",
    "teach/quiz.py:": "names of colours in a style sheet, no remedy",
    "teach/lessons/l13/cost.py:known_label": "a parameter; tests/teach/lessons/test_l13_cost_and_queue.py",
    "teach/lessons/l15/curve.py:check_sizes": "parameters of the lesson; tests/teach/lessons/test_l15_curve.py",
    "teach/lessons/l19/results.py:": "names of the compared services, no remedy",
    "teach/lessons/l19/results.py:unlucky": "names a way of serving that was measured, no remedy",
    "teach/lessons/l19/services.py:article_service": "a command that the lesson starts",
    "teach/lessons/l19/services.py:kit_service": "a command that the lesson starts",
    "serving/onnx_export.py:_to_int8": "tells to leave an option out; tests/serving/test_onnx.py",
    "serving/onnx_folder.py:read_card": "tells to export again; tests/serving/test_onnx.py",
    "workbench/audit/reading.py:": "test_what_an_audit_advises_works_in_a_training",
    "workbench/audit/reading.py:_noted": "test_what_an_audit_advises_works_in_a_training",
    "workbench/audit/reading.py:_examples": "test_what_an_audit_advises_works_in_a_training",
    "teach/course/teaching.py:_grading": "what --jobs does, for a page; tests/teach/test_grading.py",
    "workbench/closing.py:beside": "advice, not a remedy of an error",
    "workbench/closing.py:after_training": "test_cli.py pastes them",
    "workbench/compare.py:compare_runs": "a note on pairing; tests/workbench/test_compare.py gives --on",
    "workbench/compare.py:draw": "another name, or no picture; tests/workbench/test_compare.py",
    "workbench/diagnose/curves.py:noisy_labels": "tests/workbench/test_diagnose.py",
    "workbench/diagnose/data.py:": "tests/workbench/test_diagnose.py",
    "workbench/diagnose/data.py:broken_tags": "tests/workbench/test_diagnose.py",
    "workbench/diagnose/machine.py:unfinished": "test_cli_machine.py executes --resume",
    "workbench/diagnose/record.py:read_run": "says what wrote the folder",
    "workbench/go_on.py:check_same_start": "tests/workbench/test_go_on.py",
    "workbench/notebook_file.py:why_kernel_died": "tests/workbench/test_runner.py executes both",
    "workbench/seen.py:note_seen": "test_cli_evaluate.py types it",
    "workbench/seen.py:part_of": "test_cli_evaluate.py types it",
    "workbench/sweep/cluster.py:_existing": "how a worker is started; tests/workbench/test_sweep.py starts some so",
    "workbench/sweep/cluster.py:_local": "a smaller number; tests/workbench/test_sweep.py",
    "workbench/sweep/cluster.py:cluster_client": "tells to leave an option out; tests/workbench/test_sweep.py",
    "workbench/sweep/grid.py:_check_values": "how a grid is written; tests/workbench/test_sweep_grid.py",
    "workbench/sweep/grid.py:parse_grid": "how a grid is written; tests/workbench/test_sweep_grid.py",
    "workbench/sweep/grid.py:plan_sweep": "test_sweep_grid.py, test_the_command_lets_as_many_through",
    "workbench/sweep/running.py:_outcome": "a folder that all machines share",
    "workbench/sweep/running.py:_prepare": "another --out; tests/workbench/test_sweep.py",
    "workbench/tuning/search.py:_write": "the head of a file",
    "workbench/bench/rounds.py:_Bench.content": "the command that measured, for the result; test_bench.py",
}

WORDINGS = ("pass_option", "pass_options", "on_command_line")
TYPED = re.compile(r"(?<![\w-])--[a-z][a-z-]+|(?<![\w-])-[rpwc] \S|hanlp-tutor [a-z]")


def places():
    """``module:function`` of every text that names an option or a command, and of every call that does."""
    found = set()

    def visit(node, path, name):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                inner = f"{name}.{child.name}" if name else child.name
                documented = ast.get_docstring(child, clean=False) is not None
                for statement in child.body[documented:]:
                    visit(ast.Module([statement], []), path, inner)
            elif not (isinstance(child, ast.Call) and ast.unparse(child.func) == "click.option"):
                called = isinstance(child, ast.Call) and ast.unparse(child.func) in WORDINGS
                text = child.value if isinstance(child, ast.Constant) and isinstance(child.value, str) else ""
                if called or TYPED.search(text):
                    found.add(f"{path.relative_to(PACKAGE).as_posix()}:{name}")
                visit(child, path, name)

    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        tree.body = tree.body[ast.get_docstring(tree) is not None :]
        visit(tree, path, "")
    return found


def test_every_place_that_prints_a_remedy_is_in_the_table():
    covered = {place for case in (*READERS.values(), *COMMANDS.values()) for place in case.places}
    assert not covered & set(ELSEWHERE)
    missing = sorted(places() - covered - set(ELSEWHERE))
    assert not missing, f"add a case that provokes them: {missing}"
    gone = sorted((covered | set(ELSEWHERE)) - places())
    assert not gone, f"nothing is printed there any more: {gone}"


def test_what_messages_stand_for_is_no_flag_of_click():
    assert isinstance(app, click.Group) and FLAG.findall("pass -r a 1, --dev FILE (in Python)") == ["-r", "--dev"]
