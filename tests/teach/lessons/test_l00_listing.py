"""The article's listing on the installed HanLP, as the facts sheet of November 2026 has it."""

import os
import re
import sys

import pytest

from hanlp_tutor.teach.lessons.l00.listing import LINES, attempt, explain, own_fit_error, try_listing, try_training


@pytest.fixture(scope="module")
def tried():
    return try_listing()


def test_one_line_runs_as_it_stands(tried):
    assert [row["line"] for row in tried if row["works"]] == ["from hanlp.utils.io_util import get_resource"]


def test_with_the_kit_each_line_runs_and_only_imports_differ(tried):
    assert [row["line"] for row in tried if not row["kit works"]] == []
    changed = [row["line"] for row in tried if row["kit"] != row["line"]]
    assert changed == [row["line"] for row in tried if row["line"].startswith("from ")] and len(changed) == 5


def test_of_the_training_listing_two_kinds_of_statement_run_and_with_the_kit_all():
    tried = try_training()
    assert len(tried) == 11 and all(row["kit works"] for row in tried)
    running = [row["line"] for row in tried if row["works"]]
    assert len(running) == 4 and all("get_resource" in line or line.startswith("mtl.save") for line in running)


def test_a_line_that_the_kit_lacks_would_show():
    from hanlp_tutor.teach.lessons.l00 import listing

    for wrong in ("from hanlp.components.mtl import Unheard", "mtl.fit(trains='x')", "config.task_lst = []"):
        assert attempt(listing._kit_probe(wrong), listing._KIT_GROUND) is not None


def test_what_to_write_instead_exists(tried):
    assert [row["line"] for row in tried if row["instead exists"] is False] == []
    assert all(row["instead"] for row in tried if not row["works"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("MTLConfig\n", "ModuleNotFoundError: No module named 'hanlp.tasks'"),
        ("mtl.fit", "TypeError: .*missing 3 required positional arguments: 'encoder', 'tasks', and 'save_dir'"),
        ("ClassificationMetric", "ModuleNotFoundError: .*classification_metric"),
        ("import HanLP", "ImportError: cannot import name 'HanLP' from 'hanlp'$"),
    ],
)
def test_reasons_are_pythons_own(tried, line, message):
    [row] = [row for row in tried if line in row["line"] + "\n"]
    assert re.search(message, row["what happens"])


def test_no_message_names_a_folder_of_this_machine(tried):
    assert not any(sys.prefix in row["what happens"] for row in tried)
    assert (
        explain(ImportError("cannot import 'a' from 'b' (C:\\x y\\b.py)")) == "ImportError: cannot import 'a' from 'b'"
    )


def test_a_line_that_holds_is_no_error_and_a_false_ground_is_one():
    assert attempt("b = a + 1", "a = 1") is None
    with pytest.raises(NameError):
        attempt("1", given="nowhere")


def test_environment_is_as_before(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.delenv("HANLP_VERBOSE", raising=False)
    assert attempt("import os; assert os.environ['HF_HUB_OFFLINE'] == '1'") is None
    assert os.environ["HF_HUB_OFFLINE"] == "0" and "HANLP_VERBOSE" not in os.environ


def test_lines_of_the_article_are_quoted_once_each():
    assert len({line.article for line in LINES}) == len(LINES)


def test_hanlps_own_fit_fails_where_transformers_lacks_adamw():
    import transformers.optimization

    error = own_fit_error()
    if hasattr(transformers.optimization, "AdamW"):
        assert error is None
    else:
        assert explain(error) == "AttributeError: module 'transformers.optimization' has no attribute 'AdamW'"
