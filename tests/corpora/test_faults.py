from collections import Counter

import pytest

from hanlp_tutor.corpora import faults, load_corpus
from hanlp_tutor.corpora.dealing import Options


@pytest.fixture(scope="module")
def logs():
    return faults.records(Options(4000))


def test_there_are_more_than_200_types_and_a_long_tail(logs):
    assert len(faults.types()) == len(set(faults.types())) > 250
    counts = Counter(log.label for log in logs["train"])
    assert len(counts) > 250
    frequent = [count for _, count in counts.most_common()]
    assert frequent[0] > 20 * frequent[-1] and frequent[len(frequent) // 2] < 15
    tested = {log.label for log in logs["test"]}
    assert len(tested) > 200
    assert len(tested - set(counts)) < 0.05 * len(tested)


def test_component_and_mode_are_in_the_label():
    found = [faults.parts_of(label) for label in faults.types()]
    components = faults.components()
    assert all(mode in components[component].modes for component, mode in found)
    assert len({component for component, _ in found}) == len(components) > 70
    assert len({mode for _, mode in found}) > 40
    assert faults.parts_of("驱动端轴承/过热") == ("驱动端轴承", "过热")


def test_types_differ_in_one_word():
    names = {component for component, _ in map(faults.parts_of, faults.types())}
    assert {"驱动端轴承", "非驱动端轴承", "上限位开关", "下限位开关", "进水管", "出水管", "主油泵", "辅助油泵"} <= names
    assert {"电磁换向阀/内漏", "电磁换向阀/外漏"} <= set(faults.types())


def test_the_fault_is_in_the_text(logs):
    """Component and symptom, in one of their names, as an entity without the status of those in passing."""
    components = faults.components()
    for log in logs["test"]:
        component, _ = faults.parts_of(log.label)
        named = {m.name for m in log.mentions if m.label == "component" and not m.status}
        assert len(named & set(components[component].names)) == 1
        assert any(m.label == "symptom" and not m.status for m in log.mentions)


def test_other_components_are_named_in_passing(logs):
    components = faults.components()
    passing, same_family = 0, 0
    for log in logs["train"]:
        component = components[faults.parts_of(log.label)[0]]
        others = [m.name for m in log.mentions if m.label == "component" and m.status == "other"]
        passing += bool(others)
        assert not set(others) & set(component.names)
        family = {name for each in components.values() if each.family == component.family for name in each.names}
        same_family += bool(set(others) & family)
    assert 0.4 < passing / len(logs["train"]) < 0.7
    assert same_family > 0.1 * len(logs["train"])


def test_codes_tags_and_names_of_the_shop_floor(logs):
    text = "\n".join(log.text for log in logs["train"])
    assert sum(code in text for code in ("AL", "ERR", "DE轴承", "VFD", "机封", "KM1", "WO2", "P-1", "#")) >= 8
    spelled = Counter(
        mention.name == faults.parts_of(log.label)[0]
        for log in logs["train"]
        for mention in log.mentions
        if mention.label == "component" and not mention.status
    )
    assert spelled[False] > 0.2 * spelled.total()


def test_default_sizes():
    corpus = load_corpus("faults")
    assert [len(subset) for subset in (corpus.train, corpus.dev, corpus.test)] == [8000, 1000, 2000]
