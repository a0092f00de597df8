"""Write the tables of READMEs and docs from ``results/*.json``; ``--check`` only looks whether they are right."""

import sys
from collections.abc import Callable
from pathlib import Path

import offline
from front_page import PICTURE, course, drawn_from, numbers, write_picture

from hanlp_tutor import load_corpus
from hanlp_tutor.files import write_file
from hanlp_tutor.teach.course.hours import hours
from hanlp_tutor.teach.course.teaching import plan
from hanlp_tutor.teach.encoder_results import Comparison
from hanlp_tutor.teach.results import GRID, current_rows, read_results, spread
from hanlp_tutor.workbench.bench import report

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # benchmarks/ and experiments/ are no part of the package
RESULTS = "results"  # how the section of most pages is called


def results_section() -> str:
    """All tables of the newspaper and of the encoders."""
    return _make_run() + _encoders()


def _make_run() -> str:
    content = read_results("finetune_ner")
    if content is None:
        return "\nNot measured yet: `make results`.\n"
    settings, rows = content["settings"], current_rows(content)
    measured = (each for row in rows.values() for each in row["measured"].values())
    devices = sorted({each["device"].partition(" (")[0] for each in measured})  # without the number of threads
    lines = [
        f"People's Daily, {settings['sentences']:,} training sentences unless a row says all, exact-span scores on the "
        "test set "
        f"({content['date'][:10]}, {' and '.join(devices)}, torch {content['versions']['torch']}; "
        "median over seeds, spread in brackets):",
        "",
        "| | learning rate of θ | precision | recall | F1 | seeds |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        if name.startswith(GRID):
            continue
        cells = [spread(row, key) for key in ("precision", "recall", "f1")]
        lines.append(f"| {name} | {row['depends_on'].get('lr', '')} | {' | '.join(cells)} | {len(row['seeds'])} |")
    known = "Organisations are incomplete in this sample: only names of one word are marked, most of them a few "
    known += "strings (lesson 05 counts them), so all of these scores ask for less than `peoples_daily_ner` does."
    return "\n".join(["", *lines, "", known, "", f"Measured by `{content['command_line']}`.", ""])


def _encoders() -> str:
    """What pre-training buys: the encoders' comparison, at each number of labels."""
    content = read_results("encoders")
    if content is None:
        return ""
    corpora = {"ner": "peoples_daily", "classify": "reviews"}
    comparison = Comparison({task: len(load_corpus(name).train) for task, name in corpora.items()})
    lines = [f"What pre-training buys, at each number of labelled sentences ({comparison.seeds()}; median, spread in "
             "brackets):"]  # fmt: skip
    for task, title in (("ner", "People's Daily, test F1"), ("classify", "reviews, test accuracy")):
        rows = comparison.table(task)
        if rows:
            columns = list(rows[0])
            lines += ["", f"| {title} | {' | '.join(columns[1:])} |", "|" + "---|" * len(columns)]
            lines += [f"| {' | '.join(row[column] for column in columns)} |" for row in rows]
    of_all = "all sentences of the newspaper by `python -m experiments.finetune_ner --all`"
    measured = f"Measured by `{content['command_line']}`; {of_all}."
    return "\n".join(["", *lines, "", measured, ""])


def threads_section() -> str:
    """How fast training is beside other work, for the page of the benchmarks."""
    from benchmarks.threads import table

    content = read_results("threads")
    return f"\n{table(content)}\n" if content else "\nNot measured yet: `python -m benchmarks.threads`.\n"


def defaults_section() -> str:
    """What is chosen when, and the dev scores that it was chosen by."""
    from experiments.defaults import choices, measured

    content = read_results("defaults")
    scores = measured(content) if content else "Not measured yet: `python -m experiments.defaults`."
    return f"\n{choices()}\n\n{scores}\n"


def sweeps_section() -> str:
    """What a sweep costs beside its notebooks."""
    from benchmarks.sweep import table

    content = read_results("sweep")
    return f"\n{table(content) if content else 'Not measured yet: `python -m benchmarks.sweep`.'}\n"


def scaling_section() -> str:
    """How time and memory grow."""
    from benchmarks.scaling import table

    content = read_results("scaling")
    return f"\n{table(content) if content else 'Not measured yet: `python -m benchmarks.scaling`.'}\n"


def devices_section() -> str:
    """One process beside several."""
    from benchmarks.devices import table

    content = read_results("devices")
    return f"\n{table(content) if content else 'Not measured yet: `python -m benchmarks.devices`.'}\n"


def fast_mode_section() -> str:
    """F1 with batches by length, beside batches in random order."""
    from experiments.fast_mode import said

    return f"\n{said()}\n"


def tuning_section() -> str:
    """What a search of five minutes gains over the default options."""
    from experiments.tuning_reviews import table

    return f"\n{table()}\n"


def speed_section() -> str:
    """The bench, and what a GPU gave if there ever was one."""
    content, gpu = read_results("speed"), read_results("gpu")
    text = report.page(content) if content else "Not measured yet: `make bench`."
    on_gpu = f"```\n{report.table(gpu)}\n```" if gpu else "Not measured: `make gpu` has not met a GPU yet."
    if gpu and isinstance(gpu.get("devices"), str):
        on_gpu += f"\n\nOne GPU beside several: {gpu['devices']}."
    return f"\n{text}\n\n## Measured on a GPU\n\n{on_gpu}\n"


# By page the sections between its marks, <!-- NAME:begin --> and <!-- NAME:end -->
PAGES: dict[Path, dict[str, Callable[[], str]]] = {
    ROOT / "README.md": {"course": lambda: course("en"), RESULTS: lambda: numbers("en")},
    ROOT / "README.zh.md": {"course": lambda: course("zh"), RESULTS: lambda: numbers("zh")},
    ROOT / "benchmarks" / "README.md": {RESULTS: threads_section},
    ROOT / "docs" / "colab_binder.md": {offline.NAME: lambda: offline.section(read_results(offline.NAME))},
    ROOT / "docs" / "defaults.md": {RESULTS: defaults_section},
    ROOT / "docs" / "results.md": {RESULTS: results_section},
    ROOT / "docs" / "speed.md": {
        RESULTS: speed_section,
        "fast_mode": fast_mode_section,
        "scaling": scaling_section,
        "devices": devices_section,
    },
    ROOT / "docs" / "sweeps.md": {RESULTS: sweeps_section, "tuning": tuning_section},
    ROOT / "docs" / "teaching.md": {"plans": hours, RESULTS: plan},
}


def rendered(text: str, sections: dict[str, Callable[[], str]]) -> str:
    """A page with the sections between its marks made anew."""
    for name, section in sections.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        before, rest = text.split(begin)
        text = before + begin + section() + end + rest.split(end)[1]
    return text


if __name__ == "__main__":
    for page, sections in PAGES.items():
        now = page.read_text(encoding="utf-8")
        new = rendered(now, sections)
        if "--check" not in sys.argv:
            write_file(page, lambda file, new=new: file.write(new.encode("utf-8")))
        elif new != now:
            sys.exit(f"{page.relative_to(ROOT)} does not show what results/ holds: run python tools/render_readme.py")
    if "--check" not in sys.argv:
        write_picture()
    elif PICTURE.with_suffix(".sha256").read_text(encoding="utf-8").strip() != drawn_from():
        sys.exit(f"{PICTURE.relative_to(ROOT)} was drawn from other results: run python tools/render_readme.py")
