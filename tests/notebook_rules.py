"""The rules of the course for a notebook, each a function from a notebook to the ways it breaks the rule.

They come from the project's style guide; ``test_notebooks.py`` holds every notebook to them.
"""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.teach.course.execute import CLASS_ROOM
from hanlp_tutor.teach.profiles import profile_values
from hanlp_tutor.workbench.runner import PROFILES

LONGEST_LINE, LONGEST_CELL, MEDIAN_CELL, MOST_CODE_CELLS, MOST_IMPORTS = 120, 25, 6, 40, 8
LOADS_TORCH = {"torch", "transformers", "hanlp"}
METADATA = {"kernelspec", "language_info", "hanlp_tutor"}
# Where a machine keeps its files. Not any "/a/b": a URL's path and "P/R/F1" are innocent.
_MACHINE = re.compile(
    r"(?<![\w.:/<])/(?:home|root|Users|tmp|work|var|opt|mnt|usr|content|private|srv|data)/[\w.-]+|\b[A-Z]:\\\w+|file://"
)
_RESULT = re.compile(
    r"\d\s*(?:%|％|per cent|percent|percentage points|个百分点)"
    r"|\b(?:F1|accuracy|precision|recall|准确率|精确率|召回率)\b[^\d\n]{0,25}(?<![\d.])[01]?\.\d+",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"`[^`]*`|\$[^$]*\$|“[^”]*”|「[^」]*」|『[^』]*』|\"[^\"]*\"|\]\([^)]*\)")
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)[^)]*\)")


@dataclass(frozen=True)
class Notebook:
    """A notebook with its place, from which links lead."""

    path: Path
    node: nbformat.NotebookNode

    @property
    def code(self) -> list[nbformat.NotebookNode]:
        return [cell for cell in self.node.cells if cell.cell_type == "code"]

    @property
    def own(self) -> list[nbformat.NotebookNode]:
        """The lesson's own code cells, without those that tools/class_room_cells.py puts in."""
        return [cell for cell in self.code if not CLASS_ROOM & set(cell.metadata.get("tags", []))]

    @property
    def prose(self) -> list[nbformat.NotebookNode]:
        return [cell for cell in self.node.cells if cell.cell_type == "markdown"]

    @property
    def parameters(self) -> int | None:
        """Place of the parameters cell among the lesson's code cells."""
        tagged = [i for i, cell in enumerate(self.own) if "parameters" in cell.metadata.get("tags", [])]
        return tagged[0] if len(tagged) == 1 else None

    @property
    def setup_call(self) -> tuple[int, ast.Call] | None:
        """Place of the set-up cell among the lesson's code cells, and its call of ``setup``."""
        for number, cell in enumerate(self.own):
            for node in ast.walk(_parsed(cell)):
                if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "setup":
                    return number, node
        return None

    @property
    def in_class(self) -> ast.expr | None:
        """What the call of ``setup`` is given as sizes and options of the profile class."""
        _, call = self.setup_call
        return call.args[2] if len(call.args) == 3 else None


def read(path: Path) -> Notebook:
    """A notebook as it is in its file; nbformat would mend what we want to see."""
    return Notebook(path, nbformat.read(path, as_version=nbformat.NO_CONVERT))


def format_4_5(notebook: Notebook) -> Iterator[str]:
    if (notebook.node.nbformat, notebook.node.nbformat_minor) != (4, 5):
        yield f"nbformat {notebook.node.nbformat}.{notebook.node.nbformat_minor}, expected 4.5"
    try:
        nbformat.validate(notebook.node)
    except nbformat.ValidationError as error:
        yield f"invalid: {error.message}"


def readable_ids(notebook: Notebook) -> Iterator[str]:
    ids = [cell.get("id", "") for cell in notebook.node.cells]
    for name in ids:
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or re.fullmatch(r"[0-9a-f]{8,}", name):
            yield f"cell id {name!r}: write a readable one, such as train-the-model"
    yield from (f"cell id {name!r} occurs twice" for name in sorted({name for name in ids if ids.count(name) > 1}))


def clean_metadata(notebook: Notebook) -> Iterator[str]:
    metadata = notebook.node.metadata
    if metadata.get("kernelspec", {}).get("name") != "python3":
        yield "kernelspec is not python3"
    yield from (f"metadata {name!r} does not belong here" for name in sorted(metadata.keys() - METADATA))
    for cell in notebook.node.cells:
        for name in sorted(cell.metadata.keys() & {"papermill", "execution", "collapsed", "scrolled"}):
            yield f"cell {cell.get('id')}: metadata {name!r} does not belong here"
        if "injected-parameters" in cell.metadata.get("tags", []):
            yield f"cell {cell.get('id')} was injected by papermill"


def opening(notebook: Notebook) -> Iterator[str]:
    """Title, Chinese abstract of three to five sentences, what you will be able to do."""
    first = "\n\n".join(cell.source for cell in notebook.node.cells[:3] if cell.cell_type == "markdown")
    if not first.startswith("# "):
        yield "the first cell does not begin with a title"
    abstract = re.search(r"中文摘要[*：:\s]*(.+?)(?=\n\s*\n|\n#|\Z)", first, re.DOTALL)
    sentences = len(re.findall(r"[。！？]+", abstract.group(1))) if abstract else 0
    if not 3 <= sentences <= 5:
        yield f"中文摘要 in the first cells: {sentences} sentences, expected 3 to 5"
    if not re.search(r"you (will|can|are going to) be able to|you will (know|learn)", first, re.IGNORECASE):
        yield "the first cells do not say what the reader will be able to do"


def ending(notebook: Notebook) -> Iterator[str]:
    """Exercises with checks, a summary, where to go next."""
    headings = "\n".join(line for cell in notebook.prose for line in cell.source.splitlines() if line.startswith("#"))
    for what, pattern in {"exercise": "exercise|练习", "summary": "summary|小结", "where next": r"next|下一步"}.items():
        if not re.search(pattern, headings, re.IGNORECASE):
            yield f"no heading for: {what}"
    if not any(re.search(r"\bcheck\.q\d\d[a-z]?_\d", cell.source) for cell in notebook.code):
        yield "no exercise has a check (check.q05_1 ...)"


def parameters_cell(notebook: Notebook) -> Iterator[str]:
    """Imports, then literals only: papermill's values come in a cell after it, so a derived value would be stale."""
    place = notebook.parameters
    if place != 1:
        yield "the second code cell, after one of imports, has to be the only one tagged `parameters`"
        return
    if not all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in _parsed(notebook.own[0]).body):
        yield "the first code cell holds more than imports"
    cell = notebook.own[place]
    if not cell.source.startswith('PROFILE = "class"'):
        yield 'the parameters cell does not begin with PROFILE = "class"'
    for node in _parsed(cell).body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or not _is_literal(node.value):
            yield f"line {node.lineno} of the parameters cell is no assignment of a literal"


def few_imports(notebook: Notebook) -> Iterator[str]:
    """A wall of names at the start teaches nothing: what one part alone needs, it imports where it begins."""
    for cell in notebook.own[:1]:
        nodes = [node for node in ast.walk(_parsed(cell)) if isinstance(node, (ast.Import, ast.ImportFrom))]
        names = sum(len(node.names) for node in nodes)
        if names > MOST_IMPORTS:
            yield f"the first code cell imports {names} names, at most {MOST_IMPORTS}"


def kit_before_torch(notebook: Notebook) -> Iterator[str]:
    """``import hanlp_tutor`` chooses how torch's threads wait, which can be chosen only before torch is loaded."""
    for cell in notebook.own[:1]:
        imports = [node for node in _parsed(cell).body if isinstance(node, (ast.Import, ast.ImportFrom))]
        for node in imports:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            packages = {name.partition(".")[0] for name in names}
            if packages & LOADS_TORCH:
                yield f"line {node.lineno} of the imports loads torch: put those of hanlp_tutor before it"
            if packages & {*LOADS_TORCH, "hanlp_tutor"}:
                return


def setup_cell(notebook: Notebook) -> Iterator[str]:
    """Set-up takes two cells at most, and names the notebook and its sizes rightly."""
    found = notebook.setup_call
    if found is None:
        yield "no cell calls setup(NAME, globals(), {...})"
        return
    number, call = found
    if notebook.parameters is not None and number not in (notebook.parameters + 1, notebook.parameters + 2):
        yield "set-up takes more than the two cells after the parameters"
    if not (call.args and _is_literal(call.args[0]) and ast.literal_eval(call.args[0]) == notebook.path.stem):
        yield f"setup() is not called with the notebook's name, {notebook.path.stem!r}"
    given = notebook.in_class
    if given is None or not _is_literal(given):
        yield "the sizes of setup() are not written as a literal"
        return
    in_class = ast.literal_eval(given)
    sizes = in_class.keys() - TrainConfig.model_fields.keys()
    for profile in PROFILES:
        try:
            profile_values(notebook.path.stem, profile, in_class)
        except ConfigError as error:
            yield str(error)
    listed = notebook.node.metadata.get("hanlp_tutor", {}).get("sizes")
    if listed is None or set(listed) != sizes:
        yield f"metadata hanlp_tutor.sizes is {listed}, the set-up cell has {sorted(sizes)}"


def text_before_code(notebook: Notebook) -> Iterator[str]:
    cells = notebook.node.cells
    for before, cell in zip([None, *cells], cells, strict=False):
        if cell.cell_type == "code" and (before is None or before.cell_type != "markdown" or not before.source.strip()):
            yield f"no text before code cell {cell.get('id')}"


def lengths(notebook: Notebook) -> Iterator[str]:
    lines = {cell.get("id"): cell.source.splitlines() for cell in notebook.own}
    if len(lines) > MOST_CODE_CELLS:
        yield f"{len(lines)} code cells, at most {MOST_CODE_CELLS}"
    if lines and statistics.median(map(len, lines.values())) > MEDIAN_CELL:
        yield f"the median code cell has {statistics.median(map(len, lines.values()))} lines, at most {MEDIAN_CELL}"
    for name, cell in lines.items():
        if len(cell) > LONGEST_CELL:
            yield f"cell {name}: {len(cell)} lines, at most {LONGEST_CELL}"
        if any(len(line) > LONGEST_LINE for line in cell):
            yield f"cell {name}: a line of more than {LONGEST_LINE} characters"


def plain_python(notebook: Notebook) -> Iterator[str]:
    """No magic, no shell, no installation in the middle of a lesson."""
    for cell in notebook.code:
        if not cell.source.strip():
            yield f"cell {cell.get('id')} is empty"
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            yield f"cell {cell.get('id')} is not plain Python: {error.msg}"
        if re.search(r"\bpip\b.{0,20}\binstall\b", cell.source):
            yield f"cell {cell.get('id')} installs packages"


def no_branch_on_profile(notebook: Notebook) -> Iterator[str]:
    setup = notebook.setup_call
    for number, cell in enumerate(notebook.own):
        if "parameters" in cell.metadata.get("tags", []) or (setup and setup[0] == number):
            continue
        names = {getattr(node, "id", getattr(node, "attr", None)) for node in ast.walk(_parsed(cell))}
        if names & {"PROFILE", "profile"}:
            yield f"cell {cell.get('id')} looks at the profile; only sizes may differ"


def alt_text(notebook: Notebook) -> Iterator[str]:
    for cell in notebook.code:
        for output in cell.outputs:
            texts = (cell.metadata.get("alt", ""), output.get("metadata", {}).get("alt", ""))
            if any(kind.startswith("image/") for kind in output.get("data", {})) and max(map(len, texts)) < 20:
                yield f'cell {cell.get("id")} draws a picture: say what it shows in the cell\'s metadata {{"alt": ...}}'
    for image, text, target in (link for cell in notebook.prose for link in _LINK.findall(cell.source)):
        if image and not text.strip():
            yield f"picture {target} has no alt text"


def executed(notebook: Notebook) -> Iterator[str]:
    """Run from top to bottom, once, without errors or noise."""
    counts = [cell.get("execution_count") for cell in notebook.code]
    if counts != list(range(1, len(counts) + 1)):
        shown = counts if any(counts) else "missing"
        yield f"execution counts are {shown}: run it from top to bottom (python -m experiments.course NAME)"
    for cell in notebook.code:
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"cell {cell.get('id')} failed: {output.ename}"
            if output.get("name") == "stderr":
                yield f"cell {cell.get('id')} wrote to standard error: {output.text[:80]!r}"
            yield from (
                f"cell {cell.get('id')}: a live widget shows nothing on GitHub"
                for kind in output.get("data", {})
                if kind.startswith("application/vnd.jupyter.widget")
            )


def no_machine(notebook: Notebook) -> Iterator[str]:
    """Stored outputs name no folder of the machine that they were made on."""
    for cell in notebook.code:
        for text in _output_texts(cell):
            found = _MACHINE.search(text)
            if found or str(Path.home()) + "/" in text:
                yield f"cell {cell.get('id')} shows a path of a machine: {found.group() if found else Path.home()}"


def links(notebook: Notebook) -> Iterator[str]:
    for cell in notebook.prose:
        for _, _, target in _LINK.findall(cell.source):
            local = target.split("#")[0]
            if local and not re.match(r"[a-z]+:", local) and not (notebook.path.parent / local).exists():
                yield f"cell {cell.get('id')} links to {target}, which does not exist"


def no_typed_results(notebook: Notebook) -> Iterator[str]:
    """Prose has no measured number from a keyboard: the cell prints it. What is quoted may hold numbers."""
    for cell in notebook.prose:
        text = re.sub(r"```.*?```|^>.*?$", "", cell.source, flags=re.DOTALL | re.MULTILINE)
        for found in _RESULT.finditer(_QUOTED.sub("", text)):
            yield f"cell {cell.get('id')}: a result in prose, {found.group()!r}: print it, or quote its source"


# fmt: off
RULES: tuple[Callable[[Notebook], Iterator[str]], ...] = (
    format_4_5, readable_ids, clean_metadata, opening, ending, parameters_cell, few_imports, kit_before_torch,
    setup_cell, text_before_code, lengths, plain_python, no_branch_on_profile, alt_text, executed, no_machine, links,
    no_typed_results,
)
# fmt: on


def problems(notebook: Notebook) -> dict[str, list[str]]:
    """What breaks the rules, by the rule's name; empty for a good notebook."""
    found = {rule.__name__: list(rule(notebook)) for rule in RULES}
    return {name: broken for name, broken in found.items() if broken}


def _parsed(cell: nbformat.NotebookNode) -> ast.Module:
    """The cell as Python; empty when it is none, which another rule reports."""
    try:
        return ast.parse(cell.source)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def _is_literal(node: ast.expr | None) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError):
        return False
    return True


def _output_texts(cell: nbformat.NotebookNode) -> Iterator[str]:
    for output in cell.outputs:
        yield output.get("text", "")
        yield "\n".join(output.get("traceback", []))
        data: dict[str, Any] = output.get("data", {})
        yield from (text for kind, text in data.items() if kind.startswith("text/") and isinstance(text, str))
