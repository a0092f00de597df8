"""The article's five listings run with nothing but their import lines changed, from an empty folder."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import toy

from hanlp_tutor.article import ClassificationMetric, HanLP, MTLConfig, MultiTaskLearning, get_resource
from hanlp_tutor.data import Document, LabelledText, Span, TaggedText, write_columns, write_documents, write_labels
from hanlp_tutor.encoders import load_encoder
from hanlp_tutor.encoders.folder import write_transformer
from hanlp_tutor.errors import ConfigError, DataError, InputError, ModelError

ROOT = Path(__file__).resolve().parents[2]
ARTICLE = ROOT.parent / "shared" / "article"

# The article's listings as it prints them, in case its text is not at hand.
LISTINGS = """
  1. pip install hanlp[full] torch==1.12.1

  1. from hanlp.components.mtl import MultiTaskLearning
  2. from hanlp.tasks.mtl.multi_task_learning import MTLConfig
  3. from hanlp.utils.io_util import get_resource
  4. # 加载预训练模型
  5. config = MTLConfig.from_pretrained('bert-base-chinese')
  6. config.task_list = ['ner'] # 指定任务类型
  7. config.ner.head['class_num'] = 5 # 实体类别数
  8. # 创建模型
  9. mtl = MultiTaskLearning(config)
  10. # 准备数据
  11. train_data = get_resource('path/to/train.txt')
  12. val_data = get_resource('path/to/val.txt')
  13. # 启动微调
  14. mtl.fit(
  15. train_data=train_data,
  16. val_data=val_data,
  17. batch_size=32,
  18. epochs=10,
  19. lr=2e-5,
  20. warmup_steps=1000
  21. )
  22. # 保存微调模型
  23. mtl.save('finetuned_hanlp')

  1. from hanlp.metrics.classification_metric import ClassificationMetric
  2. test_data = get_resource('path/to/test.txt')
  3. predictions = mtl.predict(test_data)
  4. metric = ClassificationMetric()
  5. metric.update(predictions)
  6. print(metric.report())

  1. from hanlp import HanLP
  2. hanlp = HanLP.load('finetuned_hanlp')
  3. result = hanlp('今日北京天气如何')

  1. from fastapi import FastAPI
  2. from hanlp import HanLP
  3. app = FastAPI()
  4. hanlp = HanLP.load('finetuned_hanlp')
  5. @app.post('/predict')
  6. async def predict(text: str):
  7. return hanlp(text)
"""


def document(example) -> Document:
    return Document(example.text, getattr(example, "spans", ()), getattr(example, "label", None))


def listings(text: str) -> list[str]:
    """Numbered lines to blocks of code; the printed article has lost the indentation behind a colon."""
    blocks: list[list[str]] = []
    for number, code in re.findall(r"^ +(\d+)\. (.+)$", text, re.MULTILINE):
        if number == "1":
            blocks.append([])
        elif not blocks or int(number) != len(blocks[-1]) + 1:
            continue  # a numbered list of prose
        behind_colon = blocks[-1] and blocks[-1][-1].endswith(":")
        blocks[-1].append("    " + code if behind_colon else code)
    codes = ["\n".join(block) for block in blocks]
    return [code for code in codes if re.match("pip install|from .* import", code)]


def ours(code: str) -> str:
    """The code with its import lines changed."""
    return re.sub(r"^from hanlp[\w.]* import", "from hanlp_tutor.article import", code, flags=re.MULTILINE)


def article_text() -> str:
    texts = [path.read_text(encoding="utf-8") for path in sorted(ARTICLE.glob("*.txt"))] if ARTICLE.is_dir() else []
    return next((text for text in texts if "MTLConfig" in text), LISTINGS)


def test_our_copy_of_the_listings_is_the_articles():
    assert listings(article_text()) == listings(LISTINGS) and len(listings(LISTINGS)) == 5


def test_only_import_lines_change():
    for block in listings(LISTINGS)[1:]:
        changed = [a for a, b in zip(block.split("\n"), ours(block).split("\n"), strict=True) if a != b]
        assert changed and all(line.startswith("from hanlp") and " import " in line for line in changed)


def hub_cache(folder: Path, name: str, small_encoder: str) -> None:
    """A small encoder where the hub's cache keeps ``name``: the listing asks for bert-base-chinese by name."""
    place = folder / "hub" / f"models--{name}"
    encoder = load_encoder(small_encoder)
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("0" * 40)
    encoder.module.save_pretrained(place / "snapshots" / ("0" * 40))
    write_transformer(encoder.module.config, encoder.tokenizer, place / "snapshots" / ("0" * 40))


@pytest.mark.slow
@pytest.mark.xdist_group("trained")
def test_the_five_listings_run(small_encoder, tmp_path):
    empty = tmp_path / "empty"
    data = empty / "path" / "to"
    data.mkdir(parents=True)
    # 3,264 sentences are 102 batches of 32, so that 10 epochs leave the article's 1000 steps of warm-up
    for name, size, seed in (("train", 3264, 1), ("val", 40, 2), ("test", 200, 3)):
        examples = toy.tagged(size, seed=seed, shortest=3, longest=9)
        write_documents(data / f"{name}.tags", [document(e) for e in examples], "tag-lines")
    install, fit, evaluate, load, serve = map(ours, listings(article_text()))
    assert install.startswith("pip install hanlp")

    hub_cache(tmp_path / "hf", "bert-base-chinese", small_encoder)
    path = [str(ROOT)]
    if find_spec("fastapi") is None:
        path.append(str(tmp_path / "stub"))
        (tmp_path / "stub").mkdir()
        stub = "class FastAPI:\n    def post(self, path):\n        return lambda function: function\n"
        (tmp_path / "stub" / "fastapi.py").write_text(stub)
    ask = "import asyncio, json\nprint('RESULT:' + json.dumps([result, asyncio.run(predict('今日北京天气如何'))]))\n"
    code = "\n".join([fit, evaluate, load, serve, ask])
    environment = os.environ | {"HF_HOME": str(tmp_path / "hf"), "PYTHONPATH": os.pathsep.join(path),
                                "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}  # fmt: skip
    environment.pop("HF_HUB_CACHE", None)
    done = subprocess.run([sys.executable, "-c", code], cwd=empty, env=environment, capture_output=True,
                          encoding="utf-8", timeout=1200)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    report, printed = done.stdout.rsplit("RESULT:", 1)
    assert float(re.search(r"f1 (\d\.\d+)", report)[1]) > 0.8 and "PER" in report and "LOC" in report
    assert json.loads(printed) == [[["北京", "LOC", 2, 4]]] * 2
    assert {path.name for path in empty.iterdir()} == {"path", "finetuned_hanlp", "runs"}


def small_config(small_encoder, task="ner"):
    config = MTLConfig.from_pretrained(small_encoder)
    config.task_list = [task]
    return config


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = toy.write_split(tmp_path, sizes=(12, 4, 4))
    return {"train_data": str(paths["train"]), "val_data": str(paths["dev"]), "test": str(paths["test"])}


@pytest.mark.parametrize("number", [5, 2])
def test_class_num_that_fits(small_encoder, files, number):
    config = small_config(small_encoder)
    config.ner.head["class_num"] = number  # five tags, or two types
    mtl = MultiTaskLearning(config)
    result = mtl.fit(files["train_data"], files["val_data"], epochs=1, patience=1, gradient_accumulation_steps=2)
    assert len(mtl.predict(files["test"]).gold) == 4 and mtl.predict(["张三"]).gold is None
    for text in ("今日北京天气如何", "今日北京天气如何" * 99):
        with pytest.raises(DataError, match="pass a list"):
            mtl.predict(text)
    assert result.steps == 1 and mtl.out == Path("runs/article/001") and (mtl.out / "history.csv").exists()


def test_class_num_that_does_not_fit(small_encoder, files):
    config = small_config(small_encoder)
    config.ner.head["class_num"] = 7
    with pytest.raises(ConfigError, match=r"class_num = 7 fits not the 5 tags, nor the 2 types.*B-LOC"):
        MultiTaskLearning(config).fit(files["train_data"], files["val_data"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: setattr(c, "tasklist", ["ner"]), "Did you mean 'task_list'"),
        (lambda c: c.ner.head.__setitem__("num_class", 5), "class_num"),
        (lambda c: c.ner.head.__setitem__("class_num", "5"), "whole number"),
    ],
)
def test_misspelt_settings(change, words):
    with pytest.raises(ConfigError, match=words):
        change(MTLConfig.from_pretrained("mini-bert"))


@pytest.mark.parametrize("tasks", [[], ["ner", "pos"], ["nre"]])
def test_tasks_that_are_not_one(small_encoder, files, tasks):
    config = MTLConfig.from_pretrained(small_encoder)
    config.task_list = tasks
    with pytest.raises(ConfigError, match="notebook 11"):
        MultiTaskLearning(config).fit(files["train_data"], files["val_data"])


@pytest.mark.parametrize(
    ("options", "words"),
    [({"gradient_acumulation_steps": 4}, "gradient_accumulation_steps"), ({"warmup_steps": 1000}, "1000")],
)
def test_options_that_cannot_be(small_encoder, files, options, words):
    with pytest.raises(ConfigError, match=words):
        MultiTaskLearning(small_config(small_encoder)).fit(files["train_data"], files["val_data"], **options)


def test_verbs_in_the_wrong_order(small_encoder, tmp_path):
    mtl = MultiTaskLearning(small_config(small_encoder))
    for call in (lambda: mtl.predict(["张三"]), lambda: mtl.save(tmp_path / "x")):
        with pytest.raises(ModelError, match=r"fit\(\) first"):
            call()
    with pytest.raises(InputError, match="update"):
        ClassificationMetric().report()
    with pytest.raises(DataError, match="no such file"):
        get_resource(str(tmp_path / "train.txt"))
    with pytest.raises(ModelError, match="no such folder"):
        HanLP.load(tmp_path / "finetuned_hanlp")


@pytest.mark.parametrize("labels_named", [False, True])
def test_the_articles_two_samples(tmp_path, labels_named):
    from hanlp_tutor.hanlp_bridge.article import _read

    tagged, labelled = toy.tagged(5), toy.labelled(5)
    for task, examples, form in (("ner", tagged, "tag-lines"), ("classify", labelled, "label-lines")):
        suffix = {"ner": "tags", "classify": "labels"}[task]
        labels, texts = ("a.txt", "a.texts") if labels_named else (f"a.{suffix}", "a.txt")
        folder = tmp_path / task
        folder.mkdir()
        write_documents(folder / labels, [document(e) for e in examples], form, texts=folder / texts)
        assert _read(task, folder / "a.txt") == examples
    write_columns(tmp_path / "b.txt", tagged)
    write_labels(tmp_path / "c.txt", labelled)
    assert (_read("ner", tmp_path / "b.txt"), _read("classify", tmp_path / "c.txt")) == (tagged, labelled)


def test_gold_labels_are_asked_for_and_counted():
    found = [{"text": "张三来", "entities": [{"start": 0, "end": 2, "label": "PER", "text": "张三", "score": 0.9}]}]
    gold = [TaggedText.from_spans("张三来", [Span(0, 2, "PER")])]
    metric = ClassificationMetric()
    with pytest.raises(InputError, match="the article forgot"):
        metric.update(found)
    with pytest.raises(InputError, match="1 predictions, 2 gold"):
        metric.update(found, gold * 2)
    metric.update(found, gold)
    metric.update([{"text": "李四来", "entities": []}], [TaggedText.from_spans("李四来", [Span(0, 2, "PER")])])
    assert metric.scores()["recall"] == 0.5 and metric.scores()["precision"] == 1.0
    assert metric.report().splitlines()[0] == "precision 1.0000  recall 0.5000  f1 0.6667"

    classes = ClassificationMetric()
    found = [{"text": "a", "label": "好"}, {"text": "b", "label": "坏"}]
    classes.update(found, [LabelledText("a", "好"), LabelledText("b", "好")])
    assert classes.scores()["accuracy"] == 0.5 and "macro_f1" in classes.report()
