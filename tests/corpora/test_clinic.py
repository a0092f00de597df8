from collections import Counter

import pytest

from hanlp_tutor.corpora import clinic, load_corpus
from hanlp_tutor.corpora.clinic_figures import number_in, spoken_dose
from hanlp_tutor.corpora.clinic_lexicon import lexicon
from hanlp_tutor.corpora.clinic_records import RELATIONS, found_again
from hanlp_tutor.corpora.composing import Draw, Mention, Slot, read_templates
from hanlp_tutor.corpora.dealing import Options
from hanlp_tutor.data.relations import RelationText


@pytest.fixture(scope="module")
def records():
    return [each for found in clinic.records("ner", Options(1500)).values() for each in found]


def test_entities_are_names_of_the_lexicon(records):
    words = lexicon()
    spelled = set()
    for kind, groups in words.names.items():
        label = "test" if kind in ("lab", "imaging") else kind
        for name in {name for names in groups.values() for name in names}:
            spelled |= {(label, name), *((label, other) for other in words.other_names.get(name, ()))}
    mentions = [(mention.label, mention.text(record.text)) for record in records for mention in record.mentions]
    as_listed = sum(mention in spelled for mention in mentions) / len(mentions)
    assert 0.95 < as_listed < 1  # the others have typing errors
    assert {label for label, _ in mentions} == set(clinic.ENTITIES)


def test_no_name_stands_unmarked_in_a_sentence():
    """What is an entity wherever it is filled in must not be plain text elsewhere."""
    words = lexicon()
    names = {name for kind in words.names.values() for group in kind.values() for name in group}
    for file in ("sentences.txt", "relations.txt"):
        for section in read_templates("clinic", file).values():
            for template in section:
                readings = [template.expand(Draw(seed)) for seed in range(20)]
                plain = "|".join(sign for reading in readings for sign in reading if not isinstance(sign, Slot))
                assert not [name for name in names if name in plain], template


def test_denied_family_and_earlier_findings_are_told_apart(records):
    statuses = Counter(mention.status for record in records for mention in record.mentions)
    assert set(statuses) >= {"present", "absent", "suspected", "past", "family", "allergy"}
    assert statuses["absent"] > 500 and statuses["family"] > 80
    for record in records:
        for mention in record.mentions:
            if mention.status == "family":
                assert mention.label == "disease"


def test_kinds_sections_and_departments_are_there(records):
    kinds = Counter(record.kind for record in records)
    assert set(kinds) == {
        *("chief complaint", "section", "relations", "progress", "nursing", "consultation", "outpatient"),
        *("discharge", "history", "full"),
    }
    full = [record.text for record in records if record.kind == "full"]
    assert sum("现病史" in text or "HPI" in text for text in full) > len(full) / 2
    assert len({record.department for record in records}) == 25


def test_what_is_said_of_a_patient_agrees(records):
    groups = lexicon().groups
    women = {group.department for group in groups.values() if group.sex == "女"}
    assert women >= {"妇科", "产科"}
    for record in records:
        if record.department in ("妇科", "产科"):
            assert not record.text.startswith(("男", "患者男"))
        if record.department == "儿科":
            assert not any(adult in record.text for adult in ("病人", "病员", "代诉：患者"))


def test_dosed_drugs_and_values(records):
    text = "".join(record.text for record in records)
    assert text.count("mg") > 300 and "qd" in text and "每日2次" in text
    assert text.count("mmol/L") > 100 and "↑" in text
    assert spoken_dose("20mg qd", Draw(1)) in ("20mg qd", "20mgqd", *(f"20mg{sign}每日1次" for sign in "， "))
    assert {number_in("0.02-0.05", Draw(seed)) for seed in range(60)} == {"0.02", "0.03", "0.04", "0.05"}
    assert all(98 <= int(number_in("98-103", Draw(seed))) <= 103 for seed in range(20))


def test_relations_are_of_the_types_and_found_again():
    found = clinic.records("relation", Options(1500))
    counts, impossible = Counter(), 0
    for record in (each for records in found.values() for each in records):
        for head, tail, relation in record.pairs:
            counts[relation] += 1
            impossible += (head.label, tail.label) not in RELATIONS
            if relation != "unknown":
                assert RELATIONS[head.label, tail.label] == relation
                assert head.link == tail.link
            example = RelationText(record.text, head.text(record.text), tail.text(record.text), relation)
            spans = {span.label: (span.start, span.end) for span in example.document().spans}
            assert spans == {"head": (head.start, head.end), "tail": (tail.start, tail.end)}
    assert set(counts) == {"treats", "finds", "symptom_of", "unknown"}
    assert min(counts.values()) > 0.04 * sum(counts.values())
    assert 0.3 < counts["unknown"] / sum(counts.values()) < 0.7
    assert 0.05 < impossible / sum(counts.values()) < 0.25


def test_a_relation_is_what_the_sentence_states_not_what_is_known():
    """Some drugs that are known for the disease are no treatment here: one is allergic, another was not used."""
    words = lexicon()
    known = 0
    for record in clinic.records("relation", Options(1500))["train"]:
        for head, tail, relation in record.pairs:
            if (head.label, tail.label, relation) == ("drug", "disease", "unknown"):
                groups = [g for g in words.groups if head.name in words.names["drug"].get(g, ())]
                known += any(tail.name in words.names["disease"][group] for group in groups)
    assert known > 20


def test_types_allow_what_they_allow_in_the_noisy_training_set_too():
    from hanlp_tutor.data.relations import negative_class, type_pairs

    train = load_corpus("clinic", task="relation", size=1500).train
    assert negative_class(train) == "unknown"
    assert type_pairs(train, "unknown") == set(RELATIONS)


def test_strings_that_stand_twice_are_left_out():
    text = "胸痛，无腹痛，胸痛考虑冠心病"
    pain, disease = Mention(7, 9, "symptom"), Mention(11, 14, "disease")
    assert not found_again(text, pain, disease)
    assert found_again(text, Mention(0, 2, "symptom"), disease)


def test_departments_are_not_given_away():
    """The text to classify names neither the department nor an illness that the patient has."""
    for record in clinic.records("classify", Options(500))["test"]:
        assert not {mention.label for mention in record.mentions} & {"department", "test"}
        assert all(m.status != "present" for m in record.mentions if m.label in ("disease", "drug"))


def test_default_sizes():
    corpus = load_corpus("clinic")
    assert corpus.task == "ner"
    assert [len(subset) for subset in (corpus.train, corpus.dev, corpus.test)] == [4000, 500, 1000]
    types = Counter(span.label for example in corpus.test for span in example.spans)
    assert min(types[label] for label in clinic.ENTITIES) > 60
