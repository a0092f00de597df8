"""What README.md and README.zh.md show from ``results/``: the lessons, a few numbers, a picture (for render_readme)."""

import hashlib
import json
from pathlib import Path

from render_address import colab, repository

from hanlp_tutor import load_corpus
from hanlp_tutor.teach import plots
from hanlp_tutor.teach.course.claims import claims, tally
from hanlp_tutor.teach.course.cost import read_cost, read_download
from hanlp_tutor.teach.course.lessons import LESSONS
from hanlp_tutor.teach.encoder_results import Comparison
from hanlp_tutor.teach.results import UNMEASURED, read_results, spread

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "pictures" / "labels.png"
SHOWN = ("mini-roberta-wwm-ext", "random:mini-bert", "feature CRF")
VERDICTS_ZH = {"reproduced": "重现", "partly": "部分成立", "refuted": "被推翻", "not testable here": "此处无法检验"}


def course(language: str) -> str:
    """The lessons with badge, minutes and memory of the profile ``class``."""
    heads = {
        "en": ("", "lesson", "what you learn", "minutes", "GiB", ""),
        "zh": ("", "课", "学什么", "分钟", "GiB", ""),
    }[language]
    lines = ["", f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    address = repository()
    for lesson in LESSONS:
        file = ROOT / "notebooks" / f"{lesson.name}.ipynb"
        title = lesson.zh if language == "zh" else lesson.name.partition("_")[2].replace("_", " ")
        cost = read_cost(lesson.name, "class")
        minutes, memory = (f"{cost['minutes']:.1f}", f"{cost['memory_mb'] / 1024:.1f}") if cost else ("", "")
        link = f"[{title}](notebooks/{file.name})" if file.exists() else title
        what = lesson.teaches_zh if language == "zh" else lesson.teaches
        cells = (lesson.number, link, what, minutes, memory, colab(lesson.name, address) if file.exists() else "")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, *fetched(language), ""])


def fetched(language: str) -> list[str]:
    """What lessons fetch while they run, beside what the installation has fetched."""
    known = {lesson.number: read_download(lesson.name) for lesson in LESSONS}
    if None in known.values():
        return []
    some = {number: f"{mib:.1f} MiB" for number, mib in known.items() if mib}
    if language == "zh":
        named = "；".join(f"{number}：{mib}" for number, mib in some.items())
        said = f"运行时要下载：{named}；其余各课不下载。" if some else "运行任何一课都不再下载：权重与语料随安装而来。"
    else:
        named = ", ".join(f"{number} {mib}" for number, mib in some.items())
        said = f"Fetched while they run: {named}; by the others, nothing." if some else (
            "No lesson fetches anything while it runs: weights and corpora come with the installation."
        )  # fmt: skip
    return ["", said]


def numbers(language: str) -> str:
    """A few results, each with the lesson that explains it."""
    newspaper, medical, laws = (_rows(name) for name in ("finetune_ner", "medical", "how_much_data"))
    crf, ours, random = (_score(newspaper, name, "f1") for name in ("feature CRF", SHOWN[0], SHOWN[1]))
    rules, tuned = (_score(medical, f"cmedqaner: {name}", "recall") for name in ("rules", "fine-tuned"))
    svm = "2000/SVM, whole articles"
    singly, kept = (_score(laws, f"laws/{split}/{svm}", "accuracy") for split in ("articles", "statutes"))
    counted = tally(claims())
    if language == "zh":
        scores = (crf, ours, random, rules, tuned, singly, kept)
        crf, ours, random, rules, tuned, singly, kept = (each.replace(" to ", " 至 ") for each in scores)
        rows = (
            ("人民日报，训练 10,000 句：测试 F1", f"特征 CRF {crf}；`{SHOWN[0]}` {ours}；随机权重 {random}", "05"),
            ("患者真实提问（cMedQANER）：召回率", f"规则 {rules}；微调 {tuned}", "12"),
            ("2,000 条法律条文判定部门法：线性 SVM 准确率", f"逐条打散 {singly}；整部法律留在一边 {kept}", "15"),
            ("文章的论断", "，".join(f"{n} 条{VERDICTS_ZH.get(v, v)}" for v, n in counted.items()), "21"),
        )
        heads, after = ("问题", "这里测得", "课"), (
            "随机种子之间取中位数，括号内为最小到最大。小编码器只有四百万参数：传统方法领先的地方，我们照实写出。"
            "报纸样本里的机构名不完整（第 05 课数过）。全部表格：[results](docs/results.md)、[claims](docs/claims.md)。"
        )  # fmt: skip
    else:
        rows = (
            ("People's Daily, 10,000 training sentences: test F1",
             f"feature CRF {crf}; `{SHOWN[0]}` {ours}; random weights {random}", "05"),
            ("patients' real questions (cMedQANER): recall", f"rules {rules}; fine-tuned {tuned}", "12"),
            ("branch of law from 2,000 articles: accuracy of a linear SVM",
             f"articles dealt out singly {singly}; whole statutes on one side {kept}", "15"),
            ("claims of the article", ", ".join(f"{n} {v}" for v, n in counted.items()), "21"),
        )  # fmt: skip
        heads, after = ("question", "measured here", "lesson"), (
            "Medians over seeds, least to greatest in brackets. The small encoder has four million parameters: where a "
            "classical method is ahead, it says so. Names of organisations are incomplete in this newspaper sample "
            "(lesson 05 counts them). All tables: [results](docs/results.md), [claims](docs/claims.md)."
        )  # fmt: skip
    table = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(["", f"| {' | '.join(heads)} |", "|---|---|---|", *table, "", after, ""])


def picture() -> plots.Picture:
    """What pre-training buys at each number of labels."""
    lines = _lines()
    return plots.curves(
        {"People's Daily, names found (F1 on the test set)": lines},
        xlabel="labelled sentences",
        ylabel="F1",
        log=True,
    )


def write_picture() -> None:
    """Beside it what it was drawn from, so that a test need not compare pixels."""
    PICTURE.parent.mkdir(exist_ok=True)
    picture().save(PICTURE)
    PICTURE.with_suffix(".sha256").write_text(drawn_from() + "\n", encoding="utf-8")


def drawn_from() -> str:
    """The hash of the numbers in the picture."""
    return hashlib.sha256(json.dumps(_lines()).encode()).hexdigest()


def _lines() -> dict[str, list[tuple[float, float, float, float]]]:
    found = Comparison({"ner": len(load_corpus("peoples_daily").train), "classify": 0}).lines("ner")
    return {name: found[name] for name in SHOWN if name in found}


def _rows(name: str) -> dict:
    content = read_results(name)
    return content["rows"] if content else {}


def _score(rows: dict, row: str, measure: str) -> str:
    return spread(rows[row], measure) if row in rows else UNMEASURED
