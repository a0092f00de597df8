"""``write FOLDER``: the sources of the book, for Sphinx. ``check FOLDER``: is the built book whole, and alone?

Lessons are taken as they are committed, with their stored outputs. Links between the pages of the repository become
links between the pages of the book; a link to any other file leads to the repository.
"""

import posixpath
import re
import shutil
import sys
from pathlib import Path

import nbformat
from render_address import BRANCH, repository

import hanlp_tutor
from hanlp_tutor.teach.course.lessons import LESSONS

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("install", "recipes", "data", "serving", "commands", "defaults", "sweeps", "coming_from_hanlp_fit",
         "colab_binder", "speed", "architecture")  # fmt: skip
LEDGER = ("results", "claims", "glossary", "teaching")
LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")
BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\([^)]*\)")  # its picture is fetched
ELSEWHERE = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=["']((?:https?:)?//[^"']+)""")
CONF = '''
project = "hanlp_tutor"
author = "The hanlp_tutor maintainers"
release = {version!r}
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax", "sphinx-mathjax-offline"]
nb_execution_mode = "off"
nb_merge_streams = True
myst_heading_anchors = 3
myst_enable_extensions = ["dollarmath", "amsmath"]
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type", "myst.xref_missing", "toc.not_included", "config.cache"]
html_theme = "sphinx_book_theme"
html_title = "hanlp_tutor"
html_static_path = ["_static"]
html_css_files = ["chinese.css"]
html_theme_options = {{"use_download_button": False, "home_page_in_toc": True, "navbar_persistent": []}}
html_context = {{"default_mode": "auto"}}  # or the theme complains in the console of each first visit
html_search_language = "zh"  # jieba cuts the Chinese, the rest is stemmed as English
html_search_options = {{"dict": str(__import__("pathlib").Path(__file__).parent / "terms.txt")}}
html_show_sourcelink = False
html_copy_source = False
autodoc_typehints = "none"
language = "en"
'''
# The reader's own fonts, the simplified forms first; nothing is fetched.
CSS = """
html { --pst-font-family-base: system-ui, "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC",
  "WenQuanYi Zen Hei", sans-serif;
  --pst-font-family-monospace: ui-monospace, "Noto Sans Mono CJK SC", "Sarasa Mono SC", monospace; }
.bd-article .cell_output img { background: white; }
@media print { .bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article { display: none !important; } }
@media print { .bd-article pre { white-space: pre-wrap !important; overflow-wrap: anywhere; } }
"""


def write(folder: Path) -> None:
    """All that Sphinx reads."""
    (folder / "_static").mkdir(parents=True)
    (folder / "_static" / "chinese.css").write_text(CSS, encoding="utf-8")
    (folder / "conf.py").write_text(CONF.format(version=hanlp_tutor.__version__), encoding="utf-8")
    (folder / "terms.txt").write_text("".join(f"{term} 100000\n" for term in terms()), encoding="utf-8")
    lessons = written()
    pages = [name for name in (*PAGES, *LEDGER) if (ROOT / "docs" / f"{name}.md").exists()]
    for name in lessons:
        node = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
        for cell in node.cells:
            if cell.cell_type == "markdown":
                cell.source = relinked(cell.source, "notebooks", f"notebooks/{name}")
            elif said := [each.metadata.alt for each in cell.get("outputs", ()) if each.get("metadata", {}).get("alt")]:
                cell.metadata["mystnb"] = {"image": {"alt": " ".join(said)}}  # or it is the name of a file
        node.metadata.pop("widgets", None)
        (folder / "notebooks").mkdir(exist_ok=True)
        nbformat.write(node, folder / "notebooks" / f"{name}.ipynb")
    (folder / "docs").mkdir()
    for name in pages:
        text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
        (folder / "docs" / f"{name}.md").write_text(relinked(text, "docs", f"docs/{name}"), encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "pictures", folder / "docs" / "pictures")
    for name, file in (("index", "README.md"), ("index_zh", "README.zh.md")):
        text = relinked((ROOT / file).read_text(encoding="utf-8"), "", name)
        trees = "" if name == "index_zh" else "\n" + "\n".join(
            tree(caption, under, names)
            for caption, under, names in (
                ("The course", "notebooks", lessons),
                ("How to", "docs", [name for name in PAGES if name in pages]),
                ("What was found", "docs", [name for name in LEDGER if name in pages]),
                ("Reference", "", ["reference", "index_zh"]),
            )
        )
        (folder / f"{name}.md").write_text(text + trees, encoding="utf-8")
    (folder / "reference.md").write_text(reference(), encoding="utf-8")


def written() -> list[str]:
    """The names of the lessons that are there, in order."""
    return [lesson.name for lesson in LESSONS if (ROOT / "notebooks" / f"{lesson.name}.ipynb").exists()]


def terms() -> list[str]:
    """The Chinese terms of the glossary: words that the search must not cut in two."""
    rows = re.findall(r"^\|[^|]+\|([^|]+)\|", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    return sorted({term for row in rows for term in re.findall(r"[\u4e00-\u9fff]{2,}", row)})


def tree(caption: str, folder: str, names: list[str]) -> str:
    """A part of the table of contents."""
    entries = "\n".join(posixpath.join(folder, name) for name in names)
    return f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```\n"


def relinked(text: str, folder: str, page: str) -> str:
    """A page's text with links that hold in the book."""

    def link(match: re.Match) -> str:
        target, anchor = match[1], match[2] or ""
        if "://" in target or target.startswith("mailto:"):
            return match[0]
        path = posixpath.normpath(posixpath.join(folder, target))
        known = {"README.md": "index.md", "README.zh.md": "index_zh.md"}.get(path, path)
        if known.startswith(("notebooks/", "docs/", "index")) and Path(known).suffix in (".ipynb", ".md", ".png"):
            return f"]({posixpath.relpath(known, posixpath.dirname(page) or '.')}{anchor})"
        return f"]({repository()}/blob/{BRANCH}/{path}{anchor})"

    return LINK.sub(link, BADGE.sub("", text))


def reference() -> str:
    """The public names, from their docstrings."""
    lines = ["# Reference", "", "The public names of `hanlp_tutor`, from their docstrings.", ""]
    for name, home in hanlp_tutor._HOME.items():
        kind = "autoclass" if name[0].isupper() and not name.endswith("Error") else "autofunction"
        kind = "autoexception" if name.endswith("Error") else kind
        members = "   :members:\n   :exclude-members: model_config\n" if name == "Predictor" else ""
        lines += [f"```{{eval-rst}}\n.. {kind}:: hanlp_tutor.{home}.{name}\n{members}```", ""]
    return "\n".join(lines)


def check(folder: Path) -> None:
    """Stop where a lesson is missing, or where a page fetches something from elsewhere."""
    pages = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.html")}
    lessons = written()
    missing = [name for name in lessons if f"notebooks/{name}.html" not in pages]
    fetched = sorted({(name, link) for name, text in pages.items() for link in ELSEWHERE.findall(text)})
    if missing or fetched or not (folder / "searchindex.js").exists():
        sys.exit(f"The book is not whole. Lessons missing: {missing}; fetched from elsewhere: {fetched[:5]}")
    print(f"{len(pages)} pages, {len(lessons)} lessons; nothing is fetched from elsewhere")


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]](Path(sys.argv[2]))
