"""The sources of the book; building it fetches Sphinx, so that is `make book`'s."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def book(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "tools" / "book.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_lesson_and_page_is_in_the_contents_and_every_link_holds(tmp_path: Path):
    folder = tmp_path / "book"
    assert book("write", folder).returncode == 0
    index = (folder / "index.md").read_text(encoding="utf-8")
    for source in [*(ROOT / "notebooks").glob("[0-9]*.ipynb"), *(ROOT / "docs").glob("*.md")]:
        assert f"\n{source.relative_to(ROOT).with_suffix('')}\n" in index, source.name
    for page in folder.rglob("*.md"):
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            assert "://" in link or (page.parent / link).exists(), f"{page.name}: {link}"
    assert "colab-badge" not in index, "a picture that is fetched"


def test_a_page_that_fetches_is_refused(tmp_path: Path):
    for lesson in (ROOT / "notebooks").glob("[0-9]*.ipynb"):
        (tmp_path / "notebooks").mkdir(exist_ok=True)
        (tmp_path / "notebooks" / f"{lesson.stem}.html").write_text('<a href="https://example.org">a link</a>')
    (tmp_path / "searchindex.js").touch()
    assert book("check", tmp_path).returncode == 0
    (tmp_path / "page.html").write_text('<script async src="https://cdn.example.org/x.js"></script>')
    refused = book("check", tmp_path)
    assert refused.returncode != 0 and "https://cdn.example.org/x.js" in refused.stderr
