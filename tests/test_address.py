"""The repository's address stands in one place; everything that holds it is rendered from there."""

import importlib.util
import sys
from pathlib import Path

import pytest
import yaml

pytest.importorskip("tomllib", reason="Python 3.10 cannot read TOML by itself")
ROOT = Path(__file__).parents[1]
ADDRESS = "https://github.com/someone/some-kit"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("render_address", ROOT / "tools" / "render_address.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["render_address"] = module
    spec.loader.exec_module(module)
    return module


def test_all_is_rendered_from_the_one_place(tool):
    for path, text in tool.pages(tool.repository()).items():
        assert path.read_text(encoding="utf-8") == text, "run python tools/render_address.py"


def test_another_address_reaches_everything(tool):
    for text in tool.pages(ADDRESS).values():
        assert "someone/some-kit" in text and "OWNER" not in text
    page = tool.section(ADDRESS)
    assert "github/someone/some-kit/blob/main/notebooks/05_finetune_ner.ipynb" in page
    assert "gh/someone/some-kit/main?labpath=notebooks%2F05_finetune_ner.ipynb" in page
    assert "placeholder" in tool.section("https://github.com/OWNER/kit")


def test_every_notebook_has_its_row(tool):
    page = tool.PAGE.read_text(encoding="utf-8")
    for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"):
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {path.stem} |")]
        assert "`course`" in row and ("`serve`" in row) == path.stem.startswith("19")


def test_an_address_that_colab_cannot_open_is_refused(tool):
    for address in ("https://gitlab.com/a/b", "https://github.com/a"):
        with pytest.raises(ValueError, match="OWNER/NAME"):
            tool.name_on_github(address)


def test_the_citation_has_what_the_format_asks_for(tool):
    content = yaml.safe_load(tool.citation(ADDRESS))
    assert {"cff-version", "message", "title", "authors"} <= set(content)
    assert content["cff-version"] == "1.2.0" and content["type"] in ("software", "dataset")
    assert content["license"] == "Apache-2.0" and content["repository-code"] == ADDRESS
    assert all("name" in author or "family-names" in author for author in content["authors"])
    from hanlp_tutor import __version__

    assert content["version"] == __version__
