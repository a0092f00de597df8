"""The ledger: every verdict has numbers behind it that are of today's data, and the pages say what the ledger says."""

import html
import json
import re
import sys
from pathlib import Path

import pytest

from hanlp_tutor import load_corpus
from hanlp_tutor.data import fingerprint
from hanlp_tutor.errors import ConfigError
from hanlp_tutor.teach.course.claims import (
    JUDGE_AGAIN,
    NOT_HERE,
    VERDICTS,
    claims,
    judged,
    read_claims,
    render_page,
    tally,
)
from hanlp_tutor.teach.course.evidence import COUNTED, Evidence, Value, fails
from hanlp_tutor.teach.course.lessons import LESSONS
from hanlp_tutor.teach.results import UNMEASURED, read_results

ROOT = Path(__file__).parents[2]
CLAIMS = read_claims()["claims"]
FIELDS = {"id", "part", "zh", "en", "article", "lesson", "experiment", "values", "say", "on", "synthetic", "verdict",
          "because", "rests_on", "command"}  # fmt: skip


def wanted(claim) -> list[dict]:
    return [{"experiment": claim.get("experiment"), **where} for where in claim["values"].values()]


def experiments_of(claim) -> set[str]:
    return {where["experiment"] for where in wanted(claim) if "counted" not in where}


# --- the file ------------------------------------------------------------------------------------------------------


def test_source_and_claims_are_complete():
    source = read_claims()["source"]
    assert source["author"] and source["published"]
    assert [claim["part"] for claim in CLAIMS] == sorted(claim["part"] for claim in CLAIMS)
    assert len(CLAIMS) >= 25 and len({claim["id"] for claim in CLAIMS}) == len(CLAIMS)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim["id"])
def test_a_claim_names_its_evidence(claim):
    assert claim.keys() <= FIELDS and claim["verdict"] in VERDICTS and claim["because"]
    assert claim["lesson"] in {lesson.number for lesson in LESSONS}
    for where in wanted(claim):
        if "counted" in where:
            assert where["counted"] in COUNTED
        else:
            row = read_results(where["experiment"])["rows"][where["row"]]
            assert where["measure"] in row["median"]
    if claim["verdict"] != NOT_HERE:
        assert claim["values"] and claim["rests_on"] and claim["say"], "a verdict without evidence"
        assert not claim.get("command")


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim["id"])
def test_what_cannot_be_tested_here_says_why_and_how_it_could_be(claim):
    synthetic = experiments_of(claim) and all(
        read_results(name)["settings"].get("synthetic") for name in experiments_of(claim)
    )
    if synthetic or claim.get("synthetic"):
        assert claim["verdict"] == NOT_HERE, "synthetic data confirm and refute nothing"
    if claim["verdict"] == NOT_HERE:
        assert not claim["rests_on"]
        assert claim.get("command") or "nothing to measure" in claim["because"]


def test_every_value_that_is_read_is_used():
    for claim in CLAIMS:
        text = claim.get("say", "") + claim["because"] + " ".join(claim["rests_on"])
        unused = [name for name in claim["values"] if not re.search(rf"\b{name}\b", text)]
        assert not unused, f"{claim['id']}: {unused}"


def test_no_number_of_ours_is_typed_by_hand():
    """In ``because`` a measured number comes from a value; what is left are names and the article's own."""
    for claim in CLAIMS:
        typed = re.findall(r"(?<![\w.-])\d+\.\d+(?![\w-])", re.sub(r"\{[^}]*\}", "", claim["because"]))
        own = {"0.01", "0.1", "0.3", "92.3"}
        assert set(typed) <= own, f"{claim['id']}: {typed}"


# --- verdicts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim["id"])
def test_the_numbers_bear_out_the_verdict(claim):
    found = judged(claim, Evidence())
    assert found["verdict"] == claim["verdict"], found["because"]
    assert "{" not in found["measured"] + found["because"]


def test_without_results_nothing_is_judged(tmp_path: Path):
    for row, claim in zip(claims(tmp_path), CLAIMS, strict=True):
        if experiments_of(claim):
            assert (row["measured"], row["verdict"]) == (UNMEASURED, UNMEASURED)


def result(folder: Path, name: str, rows: dict, **depends_on) -> None:
    filled = {
        row: {"seeds": {str(seed): {"f1": f1} for seed, f1 in enumerate(seeds)}, "depends_on": depends_on,
              "median": {"f1": sorted(seeds)[len(seeds) // 2]}}
        for row, seeds in rows.items()
    }  # fmt: skip
    (folder / f"{name}.json").write_text(json.dumps({"schema": 1, "settings": {}, "rows": filled}))


GAIN = {
    "id": "gain", "lesson": "05", "experiment": "runs", "values": {"gain": {"row": "a", "measure": "f1", "minus": "b"}},
    "say": "{gain:+.1f~} points", "on": "ten lines", "verdict": "reproduced", "because": "by {gain:.0f}",
    "rests_on": ["gain > 3"],
}  # fmt: skip


def test_a_verdict_falls_when_its_numbers_do(tmp_path: Path):
    result(tmp_path, "runs", {"a": [0.5, 0.6, 0.7], "b": [0.4, 0.55, 0.6]})
    assert judged(GAIN, Evidence(tmp_path)) == {
        "measured": "+10.0 (+5.0 to +10.0) points (ten lines; median of 3 seeds)",
        "verdict": "reproduced",
        "because": "by 10",
    }
    result(tmp_path, "runs", {"a": [0.5], "b": [0.49]})
    fallen = judged(GAIN, Evidence(tmp_path))
    assert fallen["measured"] == "+1.0 points (ten lines; one run)"
    assert (fallen["verdict"], fallen["because"]) == (JUDGE_AGAIN, "no longer so: gain > 3: 1, 3")


def test_rows_of_older_weights_are_no_evidence(tmp_path: Path):
    result(tmp_path, "runs", {"a": [0.5], "b": [0.4]}, weights="of an earlier version")
    assert judged(GAIN, Evidence(tmp_path))["verdict"] == UNMEASURED


def test_a_condition_that_cannot_be_read_is_refused():
    values, spread = {"a": Value(1.0)}, {"b": Value(3.0, (2, 4))}
    assert fails(["b.least > 1", "b.greatest <= 4"], spread) == [] and fails(["b.least > 2"], spread)
    assert fails(["a < 2", "a == 1", "a >= 1"], values) == [] and fails(["a > 1"], values) == ["a > 1: 1, 1"]
    for wrong in ("a is 1", "b > 1", "a > 1 > 0", "a>1"):
        with pytest.raises(ConfigError, match=re.escape(wrong)):
            fails([wrong], values)


def test_a_spread_is_shown_only_where_there_is_one():
    assert f"{Value(0.5, (0.4, 0.5, 0.6)):.1%~}" == "50.0% (40.0% to 60.0%)"
    assert f"{Value(0.5, (0.4, 0.6)):.1%}" == "50.0%"
    assert f"{Value(0.0):yes} {Value(1.0):yes}" == "no yes"
    assert f"{Value(0.5, (0.5,)):.2f~}" == "0.50" and f"{Value(0.5, (0.5, 0.5001)):.2f~}" == "0.50"


def test_an_interval_is_of_the_mean_and_a_condition_may_ask_for_its_ends():
    """Three draws on one side of zero, and the interval holds it."""
    behind = Value(-4.8, (-12.2, -2.3, -4.8))
    assert f"{behind:+.1f±}" == "-6.4 (95 % -19.2 to +6.4)"
    assert fails(["behind.greatest < 0", "behind.high > 6", "behind.low > -20"], {"behind": behind}) == []
    assert fails(["behind.high < 0"], {"behind": behind})
    assert f"{Value(0.5, (0.5,)):.2f±}" == "0.50"
    with pytest.raises(ConfigError, match=r"alone\.low"):
        fails(["alone.low > 0"], {"alone": Value(0.5, (0.5,))})


def test_a_ratio_is_of_the_same_seeds(tmp_path: Path):
    result(tmp_path, "runs", {"a": [3.0, 8.0], "b": [2.0, 4.0], "c": [1.0]})
    evidence = Evidence(tmp_path)
    assert evidence.value({"experiment": "runs", "row": "a", "over": "b", "measure": "f1"}) == Value(0.75, (0.5, 1.0))
    assert evidence.value({"experiment": "runs", "row": "a", "over": "c", "measure": "f1"}) == Value(7.0)
    assert evidence.value({"experiment": "runs", "row": "a", "over": "d", "measure": "f1"}) is None


def test_what_is_counted_is_bert_bases():
    assert COUNTED["base"]() == 102_267_648 and COUNTED["head"]() == 5383
    assert COUNTED["head share"]() == pytest.approx(5383 / 102_267_648)


# --- nothing old ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hashes():
    """Of the corpora that need no download, as they are today."""
    known = {}
    for name, task in (("peoples_daily", None), ("reviews", None), ("clinic", None), ("clinic", "classify")):
        corpus = load_corpus(name, task=task) if task else load_corpus(name)
        for subset in ("train", "dev", "test"):
            known[f"{name}{task or ''}/{subset}"] = fingerprint(getattr(corpus, subset))
    return known


def from_experiments(name: str):
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    return __import__(f"experiments.{name}", fromlist=["main"])


def data_behind(claim, experiment: str) -> list:
    """The hashes of data that a claim's rows carry, or their file."""
    content = read_results(experiment)
    rows = [content["rows"][where[part]] for where in wanted(claim) if where.get("experiment") == experiment
            for part in ("row", "minus", "over") if part in where]  # fmt: skip
    found = [row["depends_on"]["data"] for row in rows if "data" in row.get("depends_on", {})]
    return found or ([content["settings"]["data"]] if "data" in content["settings"] else [])


def whole(hashes, corpus):
    return {subset: hashes[f"{corpus}/{subset}"] for subset in ("train", "dev", "test")}


def expected(experiment: str, hashes):
    """What the data of an experiment hash to today; None where they cannot be had here."""
    news = whole(hashes, "peoples_daily")
    if experiment in ("encoders", "pretraining_lead"):
        return {subset: value[:16] for subset, value in news.items()}
    if experiment in ("low_resource", "tuning_reviews"):  # the claims are about the reviews
        return {subset: value[:16] for subset, value in whole(hashes, "reviews").items()}
    if experiment == "learning_rates":
        return news
    if experiment == "audit":
        return list(news.values())
    if experiment == "troubleshooting":
        return from_experiments("troubleshooting").data_hash("peoples_daily")
    if experiment == "medical":
        return {"clinic": hashes["clinic/train"], "departments": hashes["clinicclassify/train"]}
    if experiment == "finetune_ner":
        return {"test": news["test"]}
    if experiment in ("finance_aml", "industrial_faults"):
        module = from_experiments(experiment)
        corpus = (module.Alerts if experiment == "finance_aml" else module.Logs)(None)
        return {"train": fingerprint(corpus.pool), "dev": fingerprint(corpus.dev), "test": fingerprint(corpus.test)}
    if experiment == "loss_terms":
        module = from_experiments("loss_terms")
        corpus = load_corpus(module.CORPUS)
        short = [[e for e in subset if len(e.text) <= module.LONGEST] for subset in (corpus.train, corpus.dev)]
        return {"drawn from": fingerprint(short[0]), "dev": fingerprint(short[1][: module.DEV])}
    if experiment == "ocr_ner":
        return from_experiments("ocr_ner").page_hashes()
    if experiment == "tuning":
        module = from_experiments("tuning")
        return module._settings(module.short_sentences())["data"]
    return None


NEED_DOWNLOADS = {"how_much_data"}
READ_NO_CORPUS = {"article", "serving"}


@pytest.mark.parametrize("experiment", sorted(set().union(*map(experiments_of, CLAIMS))))
def test_the_data_behind_the_verdicts_are_todays(experiment, hashes):
    today = expected(experiment, hashes)
    if today is None:
        assert experiment in NEED_DOWNLOADS | READ_NO_CORPUS, "a new experiment: say here what its data hash to"
        return
    resting = [claim for claim in CLAIMS if experiment in experiments_of(claim)]
    behind = [found for claim in resting for found in data_behind(claim, experiment)]
    assert behind
    for found in behind:
        if isinstance(today, dict):
            found = {subset: found[subset] for subset in today}
        assert found == today, f"measure again: python -m experiments.{experiment}"


def test_what_was_tried_on_hanlp_was_tried_on_the_locked_versions():
    lock = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements.lock").read_text(), re.M))
    for name, row in read_results("article")["rows"].items():
        for package, version in row["depends_on"]["versions"].items():
            assert version.partition("+")[0] == lock[package], f"{name}: python -m experiments.article"


# --- pages ---------------------------------------------------------------------------------------------------------


def test_the_page_says_what_the_ledger_says():
    page = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    assert page == render_page(), "python -m hanlp_tutor.teach.course.claims"


def test_the_tally_counts_every_claim():
    counted = tally(claims())
    assert list(counted)[: len(VERDICTS)] == list(VERDICTS) and sum(counted.values()) == len(CLAIMS)


@pytest.mark.parametrize("notebook", ["00_start_here", "21_claims"])
def test_the_notebooks_show_what_the_ledger_says(notebook):
    cells = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    shown = html.unescape("".join(
        "".join(output.get("data", {}).get("text/html", "")) for cell in cells for output in cell.get("outputs", ())
    ))  # fmt: skip
    missing = [row["in English"] for row in claims() if row["measured"] not in shown]
    assert not missing, f"python -m experiments.course {notebook}"
