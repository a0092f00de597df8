import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanlp_tutor.corpora import clinic, faults
from hanlp_tutor.corpora.clinic_lexicon import lexicon
from hanlp_tutor.corpora.composing import (
    LEXICONS,
    Draw,
    Part,
    Slot,
    Template,
    join,
    listed,
    mistype,
    read_table,
    read_templates,
)


def text_of(template: Template, draw: Draw) -> str:
    return "".join(f"<{sign.name}>" if isinstance(sign, Slot) else sign for sign in template.expand(draw))


def test_draws_are_those_of_every_python():
    draw = Draw("clinic", 1, "train")
    assert [draw.below(1000) for _ in range(8)] == [765, 290, 354, 628, 848, 493, 47, 522]
    assert "".join(draw.shuffled("abcdefgh")) == "gcfehabd"
    assert [draw.weighted("abc", (1, 2, 7)) for _ in range(10)].count("c") > 4
    assert {Draw(1).between(3, 5) for _ in range(3)} <= {3, 4, 5}
    assert Draw(1, "23").below(10**9) != Draw("12", 3).below(10**9)  # the parts of a seed are told apart


@given(st.integers(0, 10**6), st.integers(1, 30))
def test_a_draw_stays_inside(seed, count):
    draw = Draw(seed)
    assert 0 <= draw.below(count) < count
    assert draw.weighted(range(count), [1] * count) in range(count)
    assert sorted(draw.shuffled(range(count))) == list(range(count))


def test_a_template_has_alternatives_options_and_slots():
    template = Template("here:1", "[患者|病人]{久}前[无明显诱因]出现{症}，[伴[轻度|中度]{症2}|无其他]。")
    readings = {text_of(template, Draw(seed)) for seed in range(200)}
    assert readings == {
        f"{who}<久>前{cause}出现<症>，{rest}。"
        for who in ("患者", "病人")
        for cause in ("", "无明显诱因")
        for rest in ("伴轻度<症2>", "伴中度<症2>", "无其他")
    }
    assert len(template.skeletons()) == len(readings)


@pytest.mark.parametrize("pattern", ["[患者", "患者]出现", "[a|b"])
def test_a_bracket_that_does_not_close_is_named(pattern):
    with pytest.raises(ValueError, match=re.escape(pattern)):
        Template("here:1", pattern).expand(Draw(1))


nested = st.recursive(
    st.sampled_from(["发热", "咳嗽3天", "{症}", "{药2}", "，", ""]),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda options: f"[{'|'.join(options)}]")
        | st.lists(inner, min_size=1, max_size=3).map("".join)
    ),
    max_leaves=8,
)


@given(nested, st.integers(0, 9999))
def test_each_reading_is_among_the_skeletons(pattern, seed):
    template = Template("here:1", pattern)
    signs = template.expand(Draw(seed))
    parts = [f"{{{sign.name.rstrip('0123456789')}}}" if isinstance(sign, Slot) else sign for sign in signs]
    assert "".join(sign for sign in "".join(parts) if sign in "{}" or sign.isalnum()) in template.skeletons()


@given(st.lists(st.tuples(st.text(min_size=1, max_size=6), st.sampled_from(["", "drug", "disease"]))))
def test_spans_are_exact(pieces):
    text, mentions = join(Part(piece, label) for piece, label in pieces)
    assert [(mention.text(text), mention.label) for mention in mentions] == [piece for piece in pieces if piece[1]]


def test_lists_and_typing_errors_keep_the_entities():
    parts = listed([[Part("发热", "symptom")], [Part("咳嗽", "symptom")], [Part("胸痛", "symptom")]], "、", "及")
    assert join(parts)[0] == "发热、咳嗽及胸痛"
    wrong = mistype(parts, Draw(3), {"痛": "疼", "咳": "刻"}, 1.0)
    text, mentions = join(wrong)
    assert text != "发热、咳嗽及胸痛" and len(mentions) == 3
    assert mentions[2].text(text) in ("胸疼", "胸痛痛") and mentions[2].name == "胸痛"
    assert mistype(parts, Draw(3), {"痛": "疼"}, 0.0) == parts


def test_the_word_lists_are_clean():
    """UTF-8, one term a line, as many columns as the first line names, no term twice in a list of terms."""
    files = sorted(LEXICONS.glob("*/*.txt"))
    assert len(files) > 20
    templates = {"sentences.txt", "relations.txt", "figures.txt", "notes.txt"}
    for path in files:
        lines = path.read_text(encoding="utf-8").split("\n")
        assert lines[0].startswith("# ") and lines[-1] == "" and "" not in lines[:-1], path
        if path.name in templates:
            continue
        rows = [line.split("\t") for line in lines[1:-1]]
        assert len(set(map(tuple, rows))) == len(rows), path
        width = 4 if path.name == "components.txt" else len(lines[0].split("\t"))
        assert {len(row) for row in rows} == {width}, path
        assert all(cell == cell.strip() for row in rows for cell in row), path


# Distinct terms: of the clinic by type of entity, without their other names; of the others by file and column.
# The short lists are of things of which there are no hundreds. With a term fewer or more, the texts are others.
TERMS = {
    "disease": 718,
    "symptom": 548,
    "drug": 637,
    "test": 369,
    "procedure": 393,
    "body": 420,
    "department": 189,
    ("laundering", "given_names.txt", 0): 295,
    ("laundering", "surnames.txt", 0): 161,
    ("laundering", "trade_names.txt", 0): 267,
    ("laundering", "places.txt", 0): 205,
    ("laundering", "indicators.txt", 1): 228,
    ("laundering", "memos.txt", 1): 139,
    ("laundering", "trades.txt", 0): 101,
    ("laundering", "occupations.txt", 0): 84,
    ("laundering", "goods.txt", 0): 80,
    ("laundering", "banks.txt", 0): 60,
    ("faults", "modes.txt", 1): 446,
    ("faults", "others.txt", 1): 139,
    ("faults", "components.txt", 3): 76,
}


def test_there_are_hundreds_of_terms():
    names = {kind: set().union(*groups.values()) for kind, groups in lexicon().names.items()}
    names["test"] = names.pop("lab") | names.pop("imaging")  # with a value, and with a finding
    for key in TERMS.keys() - names.keys():
        scenario, file, column = key
        names[key] = {row[column] for row in read_table(scenario, file)}
    assert {key: len(found) for key, found in names.items()} == TERMS
    spelled = {name for one in faults.components().values() for name in one.names}
    assert len(spelled) == 385  # of 76 components, as they are called on the shop floor
    assert min(TERMS[kind] for kind in clinic.ENTITIES if kind != "department") > 350


def test_templates_name_their_line():
    template = read_templates("clinic")["家族"][0]
    number = int(template.name.removeprefix("sentences.txt:"))
    lines = (LEXICONS / "clinic" / "sentences.txt").read_text(encoding="utf-8").split("\n")
    assert lines[number - 1] == template.pattern
