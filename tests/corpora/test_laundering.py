from collections import Counter

import pytest

from hanlp_tutor.corpora import laundering, load_corpus
from hanlp_tutor.corpora.composing import Draw
from hanlp_tutor.corpora.dealing import Options
from hanlp_tutor.corpora.laundering_figures import FIGURES, RULES, apart, money
from hanlp_tutor.corpora.laundering_words import LEGITIMATE, TYPOLOGIES, lexicon


@pytest.fixture(scope="module")
def alerts():
    return laundering.records(Options(3000))


def test_shares_of_classes(alerts):
    for found in alerts.values():
        shares = {label: count / len(found) for label, count in Counter(alert.label for alert in found).items()}
        assert set(shares) == {LEGITIMATE, *TYPOLOGIES} and len(TYPOLOGIES) >= 8
        assert 0.01 < shares["insurance"] < 0.02
        assert 0.38 < shares[LEGITIMATE] < 0.42
        assert min(share for label, share in shares.items() if label != "insurance") > 0.03


@pytest.mark.parametrize("typology", FIGURES)
def test_the_rule_judges_the_figures(typology):
    goods = ("轴承",) if typology == "trade" else ()
    for seed in range(300):
        for suspicious in (True, False):
            assert RULES[typology](FIGURES[typology](Draw(seed), suspicious, *goods).facts) == suspicious


def test_figures_decide_where_words_do_not(alerts):
    """The rules are right every time; n-grams of the same texts are little better than always saying the same."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    found = {subset: [alert for alert in alerts[subset] if alert.kind == "figures"] for subset in alerts}
    for alert in (alert for each in found.values() for alert in each):
        assert RULES[alert.figures](alert.facts) == (alert.label != LEGITIMATE)
    model = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True), LogisticRegression())
    model.fit([a.text for a in found["train"]], [a.label == LEGITIMATE for a in found["train"]])
    gold = [alert.label == LEGITIMATE for alert in found["test"]]
    usual = max(Counter(gold).values()) / len(gold)
    assert model.score([alert.text for alert in found["test"]], gold) < usual + 0.13
    assert 0.25 < len(found["test"]) / len(alerts["test"]) < 0.36


def test_each_figure_alone_is_innocent_as_well():
    """Cash: below the limit, and within days, both among the legitimate; only together they are not."""
    facts = [FIGURES["structuring"](Draw(seed), False).facts for seed in range(100)]
    assert any(each["below"] for each in facts) and any(each["days"] <= 3 for each in facts)
    facts = [FIGURES["mules"](Draw(seed), False).facts for seed in range(100)]
    assert any(each["payers"] >= 15 for each in facts) and any(each["minutes"] < 60 for each in facts)


def test_classes_share_their_words(alerts):
    """Words that analysts have for a typology stand in the alerts of all others, and of the legitimate."""
    words = lexicon()["words"]
    for typology in TYPOLOGIES:
        labels = Counter(
            alert.label for alert in alerts["train"] if any(word in alert.text for word in words[typology])
        )
        assert labels[LEGITIMATE] > 3 and len(labels) >= 8, typology


def test_kinds(alerts):
    kinds = Counter(alert.kind for alert in alerts["train"])
    assert set(kinds) == {"narrative", "figures", "notes"}
    assert min(kinds.values()) > 0.1 * len(alerts["train"])
    for alert in alerts["train"]:
        assert bool(alert.facts) == (alert.kind == "figures")


def test_numbers_as_people_write_them():
    assert {money(49_500, Draw(seed)) for seed in range(40)} == {"49,500元", "49500元", "4.95万元"}
    assert {money(20_000, Draw(seed)) for seed in range(40)} == {"20,000元", "20000元", "2万元"}
    assert money(123, Draw(1)) == "123元"
    assert [apart(minutes) for minutes in (12, 60, 150, 1440, 5000)] == ["12分钟", "1小时", "2小时", "1天", "3天"]


def test_default_sizes():
    corpus = load_corpus("laundering")
    assert [len(subset) for subset in (corpus.train, corpus.dev, corpus.test)] == [5000, 1000, 2000]
    assert {example.label for example in corpus.train} == set(laundering.LABELS)
