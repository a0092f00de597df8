"""The map of the course and the article's claims: read from folders and files, not typed."""

import json
from pathlib import Path

import pytest

from hanlp_tutor.encoders.mini import BEST_TAGGER, EMBEDDED
from hanlp_tutor.teach.course.claims import COUNTED, claims, read_claims
from hanlp_tutor.teach.course.lessons import LESSONS, lessons
from hanlp_tutor.teach.results import UNMEASURED, current_rows, read_results
from hanlp_tutor.teach.table import Table

BEST, RANDOM = BEST_TAGGER, f"random:{EMBEDDED[0]}"
ALL = "mini-roberta-wwm-ext, all sentences"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def test_lessons_are_numbered_in_order():
    numbers = [lesson.number for lesson in LESSONS]
    assert numbers == sorted(numbers)
    assert [number for number in numbers if number.isdigit()] == [f"{number:02d}" for number in range(22)]
    assert [number for number in numbers if not number.isdigit()] == ["01b"]


def test_every_notebook_is_on_the_map():
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} <= {lesson.name for lesson in LESSONS}


def test_map_says_what_is_here_and_what_it_costs(tmp_path: Path):
    (tmp_path / "05_finetune_ner.ipynb").touch()
    costs = {"schema": 1, "notebooks": {"05_finetune_ner": {"class": {"minutes": 4.2}}}}
    (tmp_path / "notebooks.json").write_text(json.dumps(costs))
    rows = lessons(tmp_path, tmp_path)
    assert [row["no"] for row in rows if row["here"]] == ["05"]
    assert [row["minutes"] for row in rows if row["minutes"]] == [4.2]


def test_each_claim_names_a_lesson_and_where_it_is_measured():
    content = read_claims()
    assert content["source"]["author"] and content["source"]["published"]
    assert len({claim["id"] for claim in content["claims"]}) == len(content["claims"])
    for claim in content["claims"]:
        assert claim.keys() == {"id", "zh", "en", "article", "lesson", "measured"}
        assert claim["lesson"] in {lesson.number for lesson in LESSONS}
        measured = claim["measured"]
        if measured and "counted" in measured:
            assert measured.keys() == {"counted"} and measured["counted"] in COUNTED
            continue
        assert measured is None or measured.keys() - {"encoder", "on"} == {"experiment", "say", "values"}
        for wanted in measured["values"].values() if measured else ():
            assert {"row", "measure"} <= wanted.keys() <= {"row", "measure", "minus", "over"}


FROM_FILES = [claim for claim in read_claims()["claims"] if "experiment" in (claim["measured"] or {})]


def from_files(results: Path) -> list[str]:
    """What the table says of each claim that result files are read for."""
    said = {row["claim"]: row["measured"] for row in claims(results)}
    return [said[claim["zh"]] for claim in FROM_FILES]


def test_what_can_be_counted_is_counted(tmp_path: Path):
    said = {row["claim"]: row["measured"] for row in claims(tmp_path)}
    counted = {c["id"]: said[c["zh"]] for c in read_claims()["claims"] if "counted" in (c["measured"] or {})}
    assert counted["encoder-sizes"].startswith("102 M for each of the three")
    assert counted["head-size"].startswith("a head of 7 tags has 5,383 parameters, 0.005% of BERT-base's")


@pytest.mark.parametrize("claim", FROM_FILES, ids=lambda claim: claim["id"])
def test_each_row_that_a_claim_names_is_one_of_the_experiment(claim):
    """A row that is misspelt would be "not measured yet" for ever."""
    content = read_results(claim["measured"]["experiment"])
    if not current_rows(content or {"rows": {}}):
        pytest.skip("nobody has measured with today's weights")
    for wanted in claim["measured"]["values"].values():
        for row in (wanted[part] for part in ("row", "minus", "over") if part in wanted):
            assert wanted["measure"] in content["rows"][row]["median"]


def test_measured_value_comes_from_the_result_file(tmp_path: Path):
    assert set(from_files(tmp_path)) == {UNMEASURED}
    scores = {BEST: 0.7, RANDOM: 0.5, ALL: 0.75}
    rows = {name: {"seeds": {"1": {}, "2": {}}, "median": {"f1": f1}} for name, f1 in scores.items()}
    content = {"settings": {"sentences": 10000}, "rows": {ALL: rows[ALL]}}
    (tmp_path / "finetune_ner.json").write_text(json.dumps(content))
    score = "75.0% (mini-roberta-wwm-ext, all training sentences; median of 2 seeds)"
    assert [said for said in from_files(tmp_path) if said != UNMEASURED] == [score]
    (tmp_path / "finetune_ner.json").write_text(json.dumps({**content, "rows": rows}))
    lead = f"+20.0 points over the same shape with random weights ({BEST}, 10,000 sentences; median of 2 seeds)"
    assert [said for said in from_files(tmp_path) if said != UNMEASURED] == [score, lead]
    for name in (BEST, ALL):
        rows[name]["depends_on"] = {"weights": "of an earlier version"}
    (tmp_path / "finetune_ner.json").write_text(json.dumps({**content, "rows": rows}))
    assert set(from_files(tmp_path)) == {UNMEASURED}


def test_faster_is_a_ratio_of_ways(tmp_path: Path):
    ways = {"batch/16/one rate": 30, "batch/64/one rate": 20}
    rows = {
        name: {"seeds": {"1": {}}, "median": {"updates": way, "tokens": 2 * way, "seconds": 10 / way}}
        for name, way in ways.items()
    }
    content = {"settings": {"sentences": 192, "encoder": BEST}, "rows": rows}
    (tmp_path / "tuning.json").write_text(json.dumps(content))
    said = f"+50% in updates, +50% in tokens, -33% in seconds on a CPU ({BEST}, 192 sentences; one seed)"
    assert [said for said in from_files(tmp_path) if said != UNMEASURED] == [said]


def test_table_shows_all_of_a_long_chinese_text():
    text = "微调" * 100
    shown = Table([{"claim": text, "here": True, "minutes": None}, {"claim": "<b>", "here": False, "minutes": 1.5}])
    assert text in shown._repr_html_() and "✓" in shown._repr_html_() and "<b>" not in shown._repr_html_()
    assert "False" not in repr(shown) and "None" not in repr(shown)
