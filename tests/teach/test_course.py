"""The map of the course and the article's claims: read from folders and files, not typed."""

import json
from pathlib import Path

from hanlp_tutor.encoders.mini import BEST_TAGGER, EMBEDDED
from hanlp_tutor.teach.course.lessons import LESSONS, lessons
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


def test_table_shows_all_of_a_long_chinese_text():
    text = "微调" * 100
    shown = Table([{"claim": text, "here": True, "minutes": None}, {"claim": "<b>", "here": False, "minutes": 1.5}])
    assert text in shown._repr_html_() and "✓" in shown._repr_html_() and "<b>" not in shown._repr_html_()
    assert "False" not in repr(shown) and "None" not in repr(shown)
