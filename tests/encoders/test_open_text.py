"""What ``tools/open_text.py`` takes from the files of its sets, and what it leaves."""

import importlib.util
import json
import zipfile
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools" / "open_text.py"
spec = importlib.util.spec_from_file_location("open_text", TOOL)
open_text = importlib.util.module_from_spec(spec)
spec.loader.exec_module(open_text)


def test_paragraphs_of_squad_also_from_an_archive(tmp_path):
    paragraphs = [{"context": "北京是首都。", "qas": [{"question": "首都？"}]}, {"context": "上海在海边。"}]
    content = json.dumps({"data": [{"paragraphs": paragraphs}]}, ensure_ascii=False)
    plain, archive = tmp_path / "a.json", tmp_path / "a.zip"
    plain.write_text(content, encoding="utf-8")
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("folder/", "")
        file.writestr("folder/a.json", content)
    expected = ["北京是首都。", "上海在海边。"]
    assert open_text.squad_paragraphs(plain) == open_text.squad_paragraphs(archive) == expected


def test_a_story_gets_its_clauses_back_or_falls_into_what_stands_between_the_gaps(tmp_path):
    told = {
        "context": "小猫在河边钓鱼，[BLANK1]，又来了一只蝴蝶，[BLANK2]。",
        "choices": ["它跑去捉蝴蝶", "一只蜻蜓飞来了", "多的一个"],
        "answers": [1, 0],
    }
    untold = {**told, "context": "小猫和妈妈一起在河边钓鱼，[BLANK1]，又来了。[BLANK2]", "answers": []}
    path = tmp_path / "stories.json"
    path.write_text(json.dumps({"data": [told, untold]}), encoding="utf-8")
    assert open_text.stories_with_clauses(path) == [
        "小猫在河边钓鱼，一只蜻蜓飞来了，又来了一只蝴蝶，它跑去捉蝴蝶。",
        "小猫和妈妈一起在河边钓鱼",
    ]


def test_a_document_gets_its_word_back_or_loses_the_sentence(tmp_path):
    path = tmp_path / "cloze"
    path.write_text(
        "1 ||| 羊群 像 XXXXX 。\n2 ||| 歌声 响 了 。\n3 ||| 羊群 像 XXXXX 。 ||| 白云\n"
        "1 ||| XXXXX 起得 早 。\n2 ||| 它 捉 虫 。\n<qid_0> ||| 谁 捉 虫 ？\n",
        encoding="utf-8",
    )
    assert open_text.cloze_documents(path) == ["羊群像白云。歌声响了。", "它捉虫。"]


def test_a_dialogue_is_one_text_in_either_layout(tmp_path):
    by_number = {"7": {"goal": ["不要"], "messages": [{"content": "您好。"}, {"content": "有空房吗？"}]}}
    listed = [{"name": "不要", "messages": [{"message": "看过吗？", "attrs": []}, {"message": "看过。"}]}]
    crosswoz, kdconv = tmp_path / "val.json", tmp_path / "dev.json"
    crosswoz.write_text(json.dumps(by_number), encoding="utf-8")
    kdconv.write_text(json.dumps(listed), encoding="utf-8")
    assert open_text.dialogues(crosswoz) == ["您好。有空房吗？"]
    assert open_text.dialogues(kdconv) == ["看过吗？看过。"]


def test_each_text_says_where_it_comes_from_and_under_which_licence():
    for name, (sets, _) in open_text.TEXTS.items():
        licence = open_text.licence(name)
        expected = "Apache License 2.0" if name == "dialogues" else "CC BY-SA"
        assert all(each.citation in licence and each.licence.startswith(expected) for each in sets)
        assert all(len(file.checksum) == 64 for each in sets for file in each.files)
        assert all(len({file.name for file in each.files}) == len(each.files) for each in sets)


def test_only_traditional_sets_are_converted(tmp_path, monkeypatch):
    """OpenCC takes 么 for a traditional character and would make 幺 of it."""
    file = tmp_path / "a.json"
    content = {"data": [{"paragraphs": [{"context": "這個 麼"}, {"context": "這個 麼"}]}]}
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    monkeypatch.setattr(
        open_text, "fetch", lambda remote_set: [file] if remote_set.name in ("drcd", "cmrc2018") else []
    )
    monkeypatch.setattr(open_text, "_converter", lambda: lambda text: text.translate(str.maketrans("這個麼", "这个么")))
    assert list(open_text.simplified(open_text.WIKIPEDIA)) == ["這個 麼", "这个 么"]
