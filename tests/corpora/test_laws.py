"""Statutes out of a repository: the same articles from an archive, a clone and a list, and both splits."""

import functools
import hashlib
import http.server
import io
import tarfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from local_server import LocalServer

from hanlp_tutor.corpora import download, laws, load_corpus, locate
from hanlp_tutor.data.examples import LabelledText
from hanlp_tutor.errors import ConfigError, DataError

SHARED = Path(__file__).parents[3] / "shared" / "data"
STATUTE = """# 中华人民共和国{name}

1994年7月5日 通过

第一条 这一行在说明里，不是条文，所以不算。

<!-- INFO END -->

## 第一章 总则

第一条 为了保护{name}的当事人，制定本法。

第二条　{name}适用于中华人民共和国境内的单位。

凡在境内的，依照本法执行。\u200b

第三条之一 太短。

## 附件

{name}的附件。
"""
AMENDMENT = "<!-- INFO END -->\n\n第一条 将第二条修改为别的更长的一句话，自公布之日起施行。\n"
NAMES = [f"{thing}法" for thing in ("劳动", "公司", "商标", "森林", "税", "诉讼", "组织", "国旗", "草原", "仲裁")]


def repository() -> dict[str, str]:
    """Files of a repository by their path."""
    folders = list(laws.BRANCHES)
    files = {f"{folders[i % 9]}/{name}(2018-01-01).md": STATUTE.format(name=name) for i, name in enumerate(NAMES)}
    return files | {
        "刑法/刑法.md": STATUTE.format(name="刑法"),
        "刑法/刑法修正案（七）.md": AMENDMENT,
        "刑法/_index.md": "# 刑法",
        "宪法/劳动法(1994-07-05).md": STATUTE.format(name="旧的劳动法"),
        "社会法/劳动法(2018-01-01).md": STATUTE.format(name="劳动法"),  # repeats
        "司法解释/解释(2001-01-01).md": STATUTE.format(name="解释"),
        "README.md": "# 法律",
    }


def write_clone(folder: Path, files: dict[str, str], newline: str = "\n") -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.replace("\n", newline).encode("utf-8"))
    return folder


def write_archive(path: Path, files: dict[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"Laws-{laws.COMMIT}/{name}")
            entry.size = len(content.encode("utf-8"))
            archive.addfile(entry, io.BytesIO(content.encode("utf-8")))
    return path


@pytest.fixture(autouse=True)
def published(tmp_path, monkeypatch):
    """The made-up repository is the published one; a cache of the test's own, no variable set, no waiting."""
    monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache")
    monkeypatch.setattr(download, "PAUSE", 0.0)
    for name in ("HANLP_TUTOR_DATA", "HANLP_TUTOR_MIRROR", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    lines = laws.as_lines(laws.read_articles(write_clone(tmp_path / "published", repository())))
    monkeypatch.setattr(laws, "CHECKSUM", hashlib.sha256(lines.encode()).hexdigest())
    laws._load.cache_clear()
    yield lines
    laws._load.cache_clear()


def test_articles_of_the_newest_version_without_amendments(published):
    rows = [line.split("\t") for line in published.splitlines()]
    assert len(rows) == 2 * (len(NAMES) + 1), "two articles a statute: the third is too short, the first is no article"
    labour = [text for text, branch, statute in rows if (branch, statute) == ("宪法相关法", "劳动法")]
    assert labour == [
        "为了保护劳动法的当事人，制定本法。",
        "劳动法适用于中华人民共和国境内的单位。凡在境内的，依照本法执行。\u200b",
    ]
    assert not any("旧的" in text or "修改" in text or "解释" in text for text, _, _ in rows)
    assert {branch for _, branch, _ in rows} == set(laws.BRANCHES.values())


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_clone_an_archive_and_a_list_are_one(tmp_path, monkeypatch, published, newline):
    """Whatever line ends git has written there."""
    write_clone(tmp_path / "a" / "laws", repository(), newline)
    write_archive(tmp_path / "b" / "laws" / "laws.tar.gz", repository())
    (tmp_path / "c" / "laws").mkdir(parents=True)
    (tmp_path / "c" / "laws" / "articles.tsv").write_text(published, encoding="utf-8", newline="\n")
    write_clone(tmp_path / "d" / "Laws", repository())
    found = []
    for folder in "abcd":
        monkeypatch.setenv("HANLP_TUTOR_DATA", str(tmp_path / folder))
        found.append(load_corpus("laws"))
        assert all(path.is_file() for path in locate("laws"))
    assert all(each == found[0] for each in found)


def test_another_state_of_the_repository_is_refused(tmp_path, monkeypatch):
    newer = {"经济法/反垄断法(2022-06-24).md": STATUTE.format(name="反垄断法")}
    write_clone(tmp_path / "laws", repository() | newer)
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"laws: holds other articles.* git checkout 2f4c5c23"):
        load_corpus("laws")
    with pytest.raises(DataError, match="git checkout"):
        locate("laws")


def test_an_archive_that_is_none(tmp_path, monkeypatch):
    path = tmp_path / "laws.tar.gz"
    path.write_bytes(b"<html>")
    with pytest.raises(DataError, match=r"laws.tar.gz: holds no statutes .*ReadError.*HANLP_TUTOR_DATA"):
        laws.read_articles(path)


def test_the_archive_is_downloaded_once(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"is not downloaded yet. Call load_corpus\('laws'\), or: Set HANLP_TUTOR_DATA"):
        locate("laws")
    path = write_archive(tmp_path / "served" / "laws" / "laws.tar.gz", repository())
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    with LocalServer(handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("HANLP_TUTOR_MIRROR", f"{server.address}/")
        corpus = load_corpus("laws")
        path.unlink()
        laws._load.cache_clear()
        assert load_corpus("laws") == corpus, "from the cache"
        assert locate("laws")[0].name == "laws.tar.gz"
        write_archive(path, {"刑法/刑法.md": STATUTE})
        locate("laws")[0].unlink()
        with pytest.raises(DataError, match="what the server sends is not the published file"):
            load_corpus("laws")
        server.shutdown()
        thread.join()


def test_both_splits(tmp_path, monkeypatch):
    write_clone(tmp_path / "laws", repository())
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(tmp_path))
    corpus = load_corpus("laws")
    assert corpus == load_corpus("laws", split="statutes") and corpus.task == "classify"
    groups = [{each.group for each in part} for part in (corpus.train, corpus.dev, corpus.test)]
    assert all(groups) and not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
    assert "刑法" in groups[0], "the only statute of its branch is there to learn from"
    assert "each statute in one set" in corpus.provenance and "Copyright Law" in corpus.licence
    one_by_one = load_corpus("laws", split="articles")
    assert "one by one" in one_by_one.provenance
    everything = [sorted(map(str, [*c.train, *c.dev, *c.test])) for c in (corpus, one_by_one)]
    assert everything[0] == everything[1] and len(everything[0]) == 2 * (len(NAMES) + 1)
    first = corpus.train[0]
    assert isinstance(first, LabelledText) and first.source.startswith("laws/articles.tsv:")
    assert not any("\u200b" in each.text for each in (*corpus.train, *corpus.dev, *corpus.test))


def test_no_such_split():
    with pytest.raises(ConfigError, match="laws has no split 'article'; did you mean 'articles'"):
        load_corpus("laws", split="article")
    with pytest.raises(ConfigError, match="reviews has one split, its own; leave out split='articles'"):
        load_corpus("reviews", split="articles")


SEEN = st.characters(exclude_categories=("C", "Z"), exclude_characters="#第")


@given(st.lists(st.text(SEEN, min_size=15), max_size=5))
def test_every_long_article_is_found(texts):
    body = "".join(f"第{'一二三四五'[i]}条 {text}\n\n" for i, text in enumerate(texts))
    found = laws._articles([(Path("刑法/刑法.md"), f"<!-- INFO END -->\n{body}".encode())])
    assert [article.text for article in found] == list(dict.fromkeys(texts))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published articles are not here")
def test_the_real_articles(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("HANLP_TUTOR_DATA", str(SHARED))
    for split, sizes in (("statutes", (17637, 2187, 2196)), ("articles", (17616, 2202, 2202))):
        corpus = load_corpus("laws", split=split)
        assert tuple(map(len, (corpus.train, corpus.dev, corpus.test))) == sizes
        assert "22,020 articles of 305 statutes" in corpus.provenance
