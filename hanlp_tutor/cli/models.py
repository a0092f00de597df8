"""Commands that use models: ``evaluate``, ``predict``, ``export``, ``relocate``."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from hanlp_tutor.cli.batch_files import label_files
from hanlp_tutor.cli.model_folders import model_folder, predicting_folder, predictor_of
from hanlp_tutor.cli.options import NewFile, reads_files
from hanlp_tutor.cli.speaking import speaks_json
from hanlp_tutor.errors import ConfigError, DataError, TutorError
from hanlp_tutor.files import write_file
from hanlp_tutor.workbench.closing import headline, predict_line


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--errors", default=0, metavar="N", type=click.IntRange(min=0), help="List up to N wrong examples, those "
              "of which the model was surest first.")  # fmt: skip
@click.option("--part", type=click.Choice(["test", "dev", "train"]), help="Of FILE take one set alone, as the model's "
              "run divided it, or as --split says.")  # fmt: skip
@click.option("--split", "split_file", type=click.Path(path_type=Path), help="With --part (default: test): the file "
              "that `train --split` wrote.")  # fmt: skip
@reads_files()
@speaks_json
def evaluate(
    model: Path,
    file: Path,
    errors: int,
    part: str | None,
    split_file: Path | None,
    reading: dict[str, Any],
    as_json: bool,
) -> dict[str, Any]:
    """Score MODEL on a labelled FILE; for a multi-task model tok=FILE,pos=FILE,ner=FILE."""
    from hanlp_tutor.core.mistakes import remembering
    from hanlp_tutor.core.task import task_named
    from hanlp_tutor.serving.onnx_folder import is_onnx_folder

    if is_onnx_folder(model):
        from hanlp_tutor.serving.onnx_predictor import OnnxPredictor
        from hanlp_tutor.serving.onnx_scores import score_onnx

        predictor = OnnxPredictor(model)
        task = task_named(predictor.task)
        examples = _examples(task, predictor.model, file, reading, model, part, split_file)
        answers = remembering(predictor.predict_many) if errors else None
        scores = score_onnx(predictor, examples, predict_many=answers)
    else:
        from hanlp_tutor.core.evaluate import score_on_test
        from hanlp_tutor.core.predict import Predictor

        predictor = Predictor.load(model_folder(model))
        task = task_named(predictor.model.task)
        examples = _examples(task, predictor.model, file, reading, model, part, split_file)
        answers = remembering(predictor.predict_many) if errors else None
        scores = score_on_test(predictor.model, examples, predict_many=answers)
    wrong = task.mistakes(predictor.model, examples, answers) if answers else []
    if not as_json:
        click.echo(headline(scores))
        for table in task.parts(scores).values():
            for name, row in (table.get("per_type") or table.get("per_class") or {}).items():
                click.echo(
                    f"  {name}\tP {row['precision']:.4f}\tR {row['recall']:.4f}\tF1 {row['f1']:.4f}\tn {row['support']}"
                )
        if errors:
            first = f"; the {errors:,} of which the model was surest" if len(wrong) > errors else ""
            click.echo(f"wrong: {len(wrong):,} of {len(examples):,} examples{first}")
        for mistake in wrong[:errors]:
            score = "-" if mistake["score"] is None else f"{mistake['score']:.4f}"
            click.echo(f"  {mistake['source']}\t{score}\t{mistake['shown']}")
    if not errors:
        return scores
    listed = [{name: value for name, value in each.items() if name != "shown"} for each in wrong[:errors]]
    return {**scores, "wrong": len(wrong), "errors": listed}


def _examples(
    task: Any,
    loaded: Any,
    file: Path,
    reading: dict[str, Any],
    model: Path,
    part: str | None,
    split_file: Path | None,
) -> list[Any]:
    """The examples of a file, or those of one set of it; what the model was trained on is noted."""
    from hanlp_tutor.workbench.seen import note_seen, part_of

    examples = task.counted(loaded, task.read(file, **reading))  # the run has divided no others
    if part or split_file:
        examples = part_of(examples, part or "test", split_file, model)
    if part != "train":
        note_seen(examples, file, model)
    return examples


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("text", required=False)
@click.option("--file", type=click.Path(path_type=Path), help="Label the texts of a file, its own labels aside.")
@click.option("--out", type=NewFile(), help="Write one JSON object a text into this file.")
@click.option("--in", "source", type=click.Path(path_type=Path), help="A .csv, .tsv, .jsonl, .bio or text file of any "
              "size, in UTF-8 unless --encoding says otherwise, labelled into --out as a stream; begun before, it goes "
              "on. What is written has the form of the file; of text it is JSONL.")  # fmt: skip
@click.option("--column", help="With --in: where the text is, in CSV and JSONL; default: text.")
@click.option("--fresh", is_flag=True, help="With --in: begin anew, whatever --out holds.")
@reads_files(encoding=None)
@speaks_json
def predict(
    model: Path,
    text: str | None,
    file: Path | None,
    out: Path | None,
    source: Path | None,
    column: str | None,
    fresh: bool,
    reading: dict[str, Any],
    as_json: bool,
) -> dict[str, Any] | None:
    """Label TEXT, or the texts of --file, or each line of standard input; with --json one object a text.

    A file of one text a line is read as that, a blank line as an empty text; of other formats, labelled or
    not, the texts are taken. A model of relations takes pairs: {"head", "tail", "text"} in JSON, or
    head<TAB>tail<TAB>text, a line; of an export every pair of entities.
    """
    if "-" in (text, *map(str, (file, out, source))):
        raise ConfigError(f"- is no file. Texts, one a line, are read from standard input, and answered on standard "
                          f"output: hanlp-tutor predict {shlex.quote(str(model))} --json < FILE")  # fmt: skip
    if source is not None:
        if text is not None or file is not None or out is None or reading.keys() - {"format", "encoding"}:
            raise ConfigError(
                "--in FILE goes with --out FILE, and with --column, --format, --encoding and --fresh alone."
            )
        return label_files(model, source, out, column, fresh, reading, as_json)
    if column is not None or fresh:
        raise ConfigError("--column and --fresh belong to --in FILE.")
    if text is not None and file is not None:
        raise ConfigError("give TEXT or --file, not both.")
    if reading and file is None:
        raise ConfigError(f"{', '.join(reading)}: options of reading a file; name it with --file FILE.")
    if out is not None and file is not None and out.resolve() == file.resolve():
        raise ConfigError(f"{out} would overwrite its own source; name another file for --out.")
    folder = predicting_folder(model)
    relations = _task_of(folder) == "relation"
    texts = None if file is None else (_pairs if relations else _texts)(file, reading)
    predictor = predictor_of(folder)
    if relations and texts is not None:
        texts = _of_known_types(predictor.model, texts)
    chunks = [[text]] if text is not None else _chunks(256) if texts is None else _in_chunks(texts, 256)
    if relations and text is None and texts is None:
        chunks = _each_a_pair(predictor.model, chunks)
    answers = (answer for chunk in chunks for answer in predictor.predict_many(chunk))
    if out is not None:
        write_file(out, lambda written: written.writelines(_line(answer) for answer in answers))
        return None
    for answer in answers:
        click.echo(json.dumps(answer, ensure_ascii=False) if as_json else _readable(answer))
    return None


def _task_of(folder: Path) -> str | None:
    """What a model folder says; None of a damaged one, of which loading it says why."""
    from hanlp_tutor.serving.onnx_folder import CARD, is_onnx_folder

    try:
        name = CARD if is_onnx_folder(folder) else "model.json"
        return json.loads((folder / name).read_text(encoding="utf-8")).get("task")
    except (OSError, ValueError, AttributeError):
        return None


def _each_a_pair(model: Any, chunks: Iterable[list[str]]) -> Iterator[list[Any]]:
    """Lines of standard input as pairs; blank ones are skipped.

    Raises:
        TutorError: a line that is none, with its number.
    """
    number = 0
    for chunk in chunks:
        pairs = []
        for line in chunk:
            number += 1
            try:
                pairs += [model.as_input(line)] if line.strip() else []
            except TutorError as error:
                raise TutorError(f"standard input, line {number}: {error}") from None
        yield pairs


def _pairs(file: Path, reading: dict[str, Any]) -> list[Any]:
    """The pairs of a file.

    Raises:
        DataError, ConfigError: as :func:`hanlp_tutor.data.relation_files.read_pairs`.
    """
    from hanlp_tutor.data.relation_files import read_pairs

    given = {name: value for name, value in reading.items() if name not in ("overlaps", "negative")}
    return read_pairs(file, **given)


def _of_known_types(model: Any, pairs: list[Any]) -> list[Any]:
    """Without the pairs of types between which the model knows no relation; their number is noted."""
    from hanlp_tutor.data.notes import note

    asked = [pair for pair in pairs if model.may_relate(pair)]
    if len(asked) < len(pairs):
        note(f"{len(pairs) - len(asked):,} pairs left out: between their types training had no relation.")
    return asked


def _in_chunks(texts: list[Any], size: int) -> Iterator[list[Any]]:
    return (texts[place : place + size] for place in range(0, len(texts), size))


def _line(answer: dict[str, Any]) -> bytes:
    return (json.dumps(answer, ensure_ascii=False) + "\n").encode("utf-8")


def _texts(file: Path, reading: dict[str, Any]) -> list[str]:
    """The texts of a file: of a format that can be told, or that is named; else its lines.

    Raises:
        DataError, ConfigError: as :func:`hanlp_tutor.data.read_documents`; a file without a text.
    """
    from hanlp_tutor.data import detect_format, read_documents
    from hanlp_tutor.data.formats.format import check_options
    from hanlp_tutor.data.notes import note

    options = {name: value for name, value in reading.items() if name not in ("format", "overlaps")}
    form = reading.get("format")
    if form is None and file.exists():
        with suppress(DataError):
            form = detect_format(file, options).name
            note(f"{file}: read as {form}; with --format lines each line is a text.")
        if form is None and file.suffix.lower() in (".csv", ".tsv"):
            raise ConfigError(f"{file}: a table, of which --file would label whole rows. Label one of its columns with "
                              f"--in {shlex.quote(str(file))} --column NAME --out FILE; with --format lines each line "
                              "is a text.")  # fmt: skip
    if form in (None, "lines"):
        check_options(options, _lines, "reading lines of text")
        texts = _lines(file, **options)
    else:
        texts = [document.text for document in read_documents(file, form, **options)]
    if not any(map(str.strip, texts)):
        raise DataError("holds no text.", path=file)
    return texts


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--to", "target", required=True, type=click.Choice(["hanlp", "onnx"]))
@click.option("--int8", is_flag=True, help="ONNX in whole numbers of 8 bits, if 99.5 % of the labels stay the same.")
@click.option("--texts", type=click.Path(path_type=Path), help="The file on whose texts, or pairs, --int8 is compared.")
@speaks_json
def export(model: Path, folder: Path, target: str, int8: bool, texts: Path | None, as_json: bool) -> dict[str, Any]:
    """Write MODEL as a FOLDER that plain hanlp.load opens, or for ONNX Runtime, which needs no torch.

    Without --texts, --int8 is compared on 500 texts, or pairs, of a corpus of the kit; your own tell more.
    """
    if (int8 and target != "onnx") or (texts is not None and not int8):
        raise ConfigError("--int8 belongs to --to onnx, and --texts FILE to --int8.")
    from hanlp_tutor.core.model_folder import load_model

    loaded = load_model(model_folder(model))
    if target == "hanlp":
        from hanlp_tutor.hanlp_bridge.export import export_hanlp

        written, how = export_hanlp(loaded, folder), {}
    else:
        from hanlp_tutor.serving.onnx_export import export_onnx
        from hanlp_tutor.serving.onnx_folder import read_card

        of = _compared_on(loaded, texts) if int8 else None
        written = export_onnx(loaded, folder, int8=of)
        how = {name: value for name, value in read_card(written).items() if name in ("numbers", "agreement")}
    if not as_json:
        same = f"  ({how['agreement']['same']:.2%} of {how['agreement']['labels']:,} labels as before)" if int8 else ""
        click.echo(f"hanlp.load({str(written)!r})" if not how else f"{predict_line(written, loaded.task)}{same}")
    return {"folder": str(written), "to": target, **how}


def _compared_on(model: Any, file: Path | None) -> list[Any]:
    """The texts or pairs on which int8 is compared: of a file, or of the kit where the user names none."""
    from hanlp_tutor.corpora import load_corpus
    from hanlp_tutor.data.notes import note

    pairs = model.task == "relation"
    if file is not None:
        return _of_known_types(model, _pairs(file, {})) if pairs else _texts(file, {})
    name = {"classify": "reviews", "relation": "clinic"}.get(model.task, "peoples_daily")
    corpus = load_corpus(name, task="relation") if pairs else load_corpus(name)
    what = "pairs" if pairs else "texts"
    note(f"int8 is compared on 500 {what} of the corpus {name}; name yours with --texts FILE.")
    return corpus.dev[:500] if pairs else [example.text for example in corpus.dev[:500]]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@speaks_json
def relocate(folder: Path, as_json: bool) -> dict[str, Any]:
    """Mend the paths of a HanLP folder that was moved or copied."""
    from hanlp_tutor.hanlp_bridge.export import relocate as mend

    mend(folder)
    if not as_json:
        click.echo(f"hanlp.load({str(folder.resolve())!r})")
    return {"folder": str(folder.resolve())}


def _lines(path: Path, *, encoding: str | None = None) -> list[str]:
    """Every line, blank ones too: answer n is that to line n, as with standard input."""
    from hanlp_tutor.data.lines import read_lines

    return read_lines(path, encoding)


def _chunks(size: int) -> Iterator[list[str]]:
    """Lines of standard input in lists, so that a pipe is answered before it ends."""
    chunk: list[str] = []
    number = 0
    try:
        for number, line in enumerate(sys.stdin, start=1):
            if number == 1:
                line = line.removeprefix("\ufeff")  # Windows PowerShell begins a pipe with a byte-order mark
            chunk.append(line.rstrip("\r\n"))
            if len(chunk) == size:
                yield chunk
                chunk = []
    except UnicodeDecodeError:
        raise TutorError(
            f"standard input, near line {number + 1}: not UTF-8. If all of it is in another encoding, convert it, "
            "such as GB18030: iconv -f GB18030 -t UTF-8 FILE. If one line is damaged, mend or remove it."
        ) from None
    if chunk:
        yield chunk


def _readable(answer: dict[str, Any]) -> str:
    if "tok" in answer:
        tags = answer.get("pos") or [""] * len(answer["tok"])
        words = " ".join(f"{word}/{tag}" if tag else word for word, tag in zip(answer["tok"], tags, strict=True))
        answer = {"text": words, "entities": answer.get("ner", [])}
    if "relation" in answer:
        return "\t".join((answer["relation"], f"{answer['score']:.4f}", answer["head"], answer["tail"], answer["text"]))
    if "label" in answer:
        return f"{answer['label']}\t{answer['score']:.4f}\t{answer['text']}"
    rows = [f"  {e['start']}-{e['end']}\t{e['label']}\t{e['text']}\t{e['score']:.4f}" for e in answer["entities"]]
    return "\n".join([answer["text"], *rows])
