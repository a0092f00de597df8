"""Write what holds the repository's address, from ``[project.urls]`` of pyproject.toml; ``--check`` only looks.

The badges of Colab, Binder's link (``docs/colab_binder.md``) and ``CITATION.cff``. Move the repository: change the one
line ``Repository`` there, run this, and ``tools/class_room_cells.py`` for the first cells of the lessons.
"""

import sys
from pathlib import Path

import tomllib
import yaml

from hanlp_tutor import __version__
from hanlp_tutor.extras import EXTRAS
from hanlp_tutor.files import write_file
from hanlp_tutor.teach.course.cost import read_cost
from hanlp_tutor.teach.course.lessons import LESSONS

ROOT = Path(__file__).resolve().parents[1]
PAGE, CITATION = ROOT / "docs" / "colab_binder.md", ROOT / "CITATION.cff"
BEGIN, END = "<!-- address:begin -->", "<!-- address:end -->"
BRANCH = "main"
PLACEHOLDER = "OWNER"
# Beyond the extra `course`, which all lessons need
ALSO = {"19": "serve"}
BINDER_GIB = 2.0


def repository() -> str:
    """The repository's address, such as ``https://github.com/OWNER/hanlp-tutor``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"].rstrip("/")


def name_on_github(address: str) -> str:
    """``OWNER/NAME``; Colab and mybinder.org open notebooks by it.

    Raises:
        ValueError: it lies elsewhere.
    """
    host, _, name = address.removeprefix("https://").partition("/")
    if host != "github.com" or name.count("/") != 1:
        raise ValueError(f"{address}: expected https://github.com/OWNER/NAME, from which Colab can open a notebook.")
    return name


def colab(notebook: str, address: str) -> str:
    """The badge that opens a lesson in Colab, as Markdown."""
    link = f"https://colab.research.google.com/github/{name_on_github(address)}/blob/{BRANCH}/notebooks/{notebook}.ipynb"
    return f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({link})"


def binder(notebook: str, address: str) -> str:
    """The link that opens a lesson on Binder, as Markdown."""
    path = f"notebooks%2F{notebook}.ipynb"
    return f"[Binder](https://mybinder.org/v2/gh/{name_on_github(address)}/{BRANCH}?labpath={path})"


def colab_cell(notebook: str, address: str) -> str:
    """The first cell of a lesson: in Colab it fetches the kit and what is missing there; elsewhere it does nothing."""
    extras = ", ".join(f'"{extra}"' for extra in ("course", ALSO.get(notebook.partition("_")[0])) if extra)
    return f"""\
import runpy
import sys
from importlib.util import find_spec
from subprocess import check_call

if "google.colab" in sys.modules and not find_spec("hanlp_tutor"):
    check_call(["git", "clone", "-q", "--depth=1", "{address}", "kit"])
    runpy.run_path("kit/tools/colab.py")["install"]({extras})"""


def section(address: str) -> str:
    """The table of ``docs/colab_binder.md``."""
    lines = [""]
    if f"/{PLACEHOLDER}/" in address:
        lines += [f"**The address is still a placeholder**, `{address}`: the links work once the line `Repository` of "
                  "`pyproject.toml` names the real one and `python tools/render_address.py` has run.", ""]  # fmt: skip
    heads = ("lesson", "Colab", "Binder", "extras", "peak memory in `class`, GiB", "fits Binder's 2 GB")
    lines += [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for lesson in LESSONS:
        if not (ROOT / "notebooks" / f"{lesson.name}.ipynb").exists():
            continue
        cost = read_cost(lesson.name, "class")
        gib = cost["memory_mb"] / 1024 if cost else None
        memory = f"{gib:.1f}" if cost else "not measured"
        fits = "not measured" if gib is None else "yes" if gib < BINDER_GIB else "in `smoke`"
        extras = ", ".join(f"`{extra}`" for extra in ("course", ALSO.get(lesson.number)) if extra)
        cells = (lesson.name, colab(lesson.name, address), binder(lesson.name, address), extras, memory, fits)
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "The first cell of every lesson, but for the extras:", "", "```python"]
    lines += [colab_cell(LESSONS[0].name, address), "```", ""]
    return "\n".join(lines)


def citation(address: str) -> str:
    """``CITATION.cff``, in version 1.2.0 of the format."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    content = {
        "cff-version": "1.2.0",
        "message": "If you teach or publish with this course, please cite it so.",
        "title": "hanlp_tutor: fine-tune Chinese language models step by step",
        "type": "software",
        "authors": [{"name": "The hanlp_tutor maintainers"}],
        "version": __version__,
        "license": project["license"],
        "repository-code": address,
        "abstract": project["description"],
        "keywords": project["keywords"],
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    return f"# Made by tools/render_address.py\n{text}"


def pages(address: str) -> dict[Path, str]:
    """What each file has to hold."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    page = before + BEGIN + section(address) + END + rest.split(END)[1]
    return {PAGE: page, CITATION: citation(address)}


if __name__ == "__main__":
    assert set(ALSO.values()) <= set(EXTRAS)
    for path, text in pages(repository()).items():
        if "--check" not in sys.argv:
            write_file(path, lambda file, text=text: file.write(text.encode("utf-8")))
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path.relative_to(ROOT)} is not what pyproject.toml says: run python tools/render_address.py")
