"""The front page in two languages says the same; what any page tells to type exists; no link leads nowhere."""

import re
import shlex
from pathlib import Path

import click
import pytest

from hanlp_tutor.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "benchmarks" / "README.md"]
ENGLISH, CHINESE = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md"))
FENCES = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def typed(text: str) -> list[str]:
    """The lines of code, without their comments."""
    return [re.sub(r"\s+#.*", "", line) for block in FENCES.findall(text) for line in block.splitlines()]


def section(text: str, name: str) -> str:
    return text.split(f"<!-- {name}:begin -->")[1].split(f"<!-- {name}:end -->")[0]


def test_both_languages_have_the_same_lines_to_type():
    assert typed(ENGLISH) == typed(CHINESE) and len(typed(ENGLISH)) > 10


def test_both_languages_have_the_same_numbers_and_links():
    for name in ("course", "results"):
        english, chinese = (sorted(re.findall(r"\d+(?:[.,:]\d+)*", section(text, name))) for text in (ENGLISH, CHINESE))
        assert english == chinese and len(english) > 10, name
    links = [set(re.findall(r"\]\(([^)]+)\)", text)) - {"README.md", "README.zh.md"} for text in (ENGLISH, CHINESE)]
    assert links[0] == links[1]


def test_a_blank_stands_between_latin_and_chinese():
    touching = r"[A-Za-z0-9][\u4e00-\u9fff]|[\u4e00-\u9fff][A-Za-z0-9]"
    assert re.findall(rf".{{0,9}}(?:{touching}).{{0,9}}", CHINESE) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path):
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", FENCES.sub("", text)):
        if "://" not in link:
            assert (page.parent / link).exists(), link


def test_every_anchor_is_a_heading():
    for page in PAGES:
        for link, anchor in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                target = (page.parent / link if link else page).read_text(encoding="utf-8")
                heads = re.findall(r"^#+ (.+)", target, re.MULTILINE)
                slugs = {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}
                assert anchor in slugs, f"{page.name}: {anchor}"


def commands() -> list[str]:
    found = []
    for page in PAGES:
        for line in typed(page.read_text(encoding="utf-8")):
            if line.startswith(("hanlp-tutor ", ".venv/bin/hanlp-tutor ")):
                found.append(line.partition("hanlp-tutor ")[2])
            elif "-m hanlp_tutor.cli " in line:
                found.append(line.partition("-m hanlp_tutor.cli ")[2])
    return sorted(set(found))


@pytest.mark.parametrize("line", commands())
def test_every_command_that_is_told_exists_with_its_options(line: str):
    name, *arguments = shlex.split(line)
    context = click.Context(app)
    command = app.get_command(context, name)
    assert command is not None, name
    command.make_parser(click.Context(command, info_name=name)).parse_args(arguments)  # an unknown option raises


def test_there_are_commands_to_hold():
    assert len(commands()) > 20
