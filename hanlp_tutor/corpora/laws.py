"""``laws``: articles of Chinese statutes with their branch of law, seven by the official classification.

The text lies in a repository and is never part of the kit: its archive is downloaded, or a clone, the archive or a list
of articles is read from a folder of yours. The articles count only when together they have the published checksum,
whatever they were read from.

Articles of one statute share their words, so how they are dealt out decides what a score says: whole statutes on one
side (the default), or article by article, which lets a model know the statutes that it is asked about.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from hanlp_tutor.corpora.download import download
from hanlp_tutor.corpora.package import FOLDER_VARIABLE, Corpus, own_folder
from hanlp_tutor.corpora.remote import MIRROR_VARIABLE
from hanlp_tutor.data.examples import LabelledText
from hanlp_tutor.data.split import Split, split_groups, split_stratified
from hanlp_tutor.errors import ConfigError, DataError, nearest

NAME = "laws"
SPLITS = ("statutes", "articles")  # whole statutes on one side; article by article
COMMIT = "2f4c5c23716267af9dbebbbbd6cbbf732b101981"
REPOSITORY = "https://github.com/LawRefBook/Laws"
ADDRESS = f"{REPOSITORY}/archive/{COMMIT}.tar.gz"
# SHA-256 of all articles, as ``as_lines`` writes them
CHECKSUM = "f11428169591d15fe83a86e0e1b175ac4bc12e8c49f6dc523e2d336f527d62d2"
BRANCHES = {  # by folder: the constitution and the civil code have one of their own
    "宪法": "宪法相关法",
    "宪法相关法": "宪法相关法",
    "民法典": "民法商法",
    "民法商法": "民法商法",
    "行政法": "行政法",
    "经济法": "经济法",
    "社会法": "社会法",
    "刑法": "刑法",
    "诉讼与非诉讼程序法": "诉讼与非诉讼程序法",
}
FEWEST = 15  # characters of an article; 本法自公布之日起施行 is of no branch
_ARCHIVE, _LIST = "laws.tar.gz", "articles.tsv"
_FILE = re.compile(r"(?P<statute>.+?)(?:\((?P<date>\d{4}-\d\d-\d\d)\))?\.md")
_ARTICLE = re.compile(r"第[一二三四五六七八九十百千零〇]+条(?:之[一二三四五六七八九十]+)?\s*(.*)")
_INFO_END = "<!-- INFO END -->"  # above it: when the statute was passed and amended
_UNSEEN = "\u200b"  # zero-width spaces, left from a web page


class Article(NamedTuple):
    """One article of a statute."""

    text: str
    branch: str
    statute: str


def load(split: str | None = None) -> Corpus:
    """The articles, 8:1:1, read once per process; downloaded where they are neither in your folder nor in the cache.

    Args:
        split: ``statutes`` (None) puts every statute into one set, as far as that allows in the branches' own shares,
            and a branch of one statute (刑法) into train; ``articles`` deals the articles of each branch out one by
            one. Both are seeded and stay as they are.

    Raises:
        ConfigError: no such split.
        DataError: the articles cannot be had, or are not the published ones.
    """
    split = split or SPLITS[0]
    if split not in SPLITS:
        guess = nearest(split, SPLITS)
        hint = f"did you mean {guess!r}?" if guess else f"choose from {', '.join(SPLITS)}."
        raise ConfigError(f"{NAME} has no split {split!r}; {hint}")
    return _load(_own() or _fetched(), split)


def locate() -> tuple[Path, ...]:
    """The archive, the list, or the files of the clone that the articles would be read from; asks no network.

    Raises:
        DataError: there is none yet, or it holds other articles.
    """
    path = _own() or (_cached() if _cached().is_file() and is_published(_cached()) else None)
    if path is None:
        remedy = f"Call load_corpus({NAME!r}), or: {_remedy()}"
        raise DataError("is not downloaded yet.", path=f"{NAME}/{_ARCHIVE}", remedy=remedy)
    return tuple(file for file, _ in _files_of(path)) if path.is_dir() else (path,)


def read_articles(path: str | Path) -> list[Article]:
    """The articles of an archive of the repository, of a clone, or of a list that :func:`as_lines` wrote.

    Of several versions of a statute the newest counts, amendments (修正案) are left out, and of articles with the same
    text all but the first.

    Args:
        path: ``.tar.gz``, a folder, or ``.tsv``.

    Raises:
        DataError: what is there cannot be read.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _articles(_files_of(path))
        state = path.stat()
        return list(_read(path, state.st_size, state.st_mtime_ns))
    except (OSError, EOFError, tarfile.TarError, ValueError, TypeError) as error:
        message = f"holds no statutes that can be read ({type(error).__name__})."
        raise DataError(message, path=path, remedy=_remedy()) from None


def as_lines(articles: Iterable[Article]) -> str:
    """``article<TAB>branch<TAB>statute`` a line, of which :data:`CHECKSUM` is taken."""
    return "".join("\t".join(article) + "\n" for article in articles)


def is_published(path: Path) -> bool:
    """Whether these are the articles of the commit."""
    try:
        lines = as_lines(read_articles(path))
    except DataError:
        return False
    return hashlib.sha256(lines.encode()).hexdigest() == CHECKSUM


@lru_cache(maxsize=1)  # it is verified and then read
def _read(path: Path, size: int, changed: int) -> list[Article]:
    if path.suffix == ".tsv":
        return [Article(*row.split("\t")) for row in path.read_text(encoding="utf-8").splitlines()]
    return _articles(_files_in(path))


def _articles(files: Iterable[tuple[Path, bytes]]) -> list[Article]:
    newest: dict[tuple[str, str], tuple[str, bytes]] = {}
    for path, content in files:
        folder, match = path.parent.name, _FILE.fullmatch(path.name)
        if folder not in BRANCHES or match is None or match["statute"] == "_index" or "修正案" in match["statute"]:
            continue
        key, version = (BRANCHES[folder], match["statute"]), (match["date"] or "", content)
        newest[key] = max(newest.get(key, version), version)
    found: dict[str, Article] = {}
    for (branch, statute), (_, content) in sorted(newest.items()):
        for text in _texts(content.decode("utf-8")):
            if len(text) >= FEWEST:
                found.setdefault(text, Article(text, branch, statute))
    return list(found.values())


def _texts(document: str) -> list[str]:
    """The articles of a statute, without their numbers, each in one line."""
    texts: list[list[str]] = []
    for line in map(str.strip, document.partition(_INFO_END)[2].splitlines()):
        if (match := _ARTICLE.match(line)) is not None:
            texts.append([match[1]])
        elif texts and not line.startswith("#"):
            texts[-1].append(line)
    return ["".join(lines) for lines in texts]


def _files_of(clone: Path) -> Iterator[tuple[Path, bytes]]:
    for folder in BRANCHES:
        for path in sorted((clone / folder).glob("*.md")):
            yield path, path.read_bytes()


def _files_in(archive: Path) -> Iterator[tuple[Path, bytes]]:
    with tarfile.open(archive, "r:gz") as opened:
        for member in opened:
            path = Path(member.name)  # the archive's own folder, the branch's, the file
            if member.isfile() and len(path.parts) == 3 and path.parts[1] in BRANCHES:
                yield path, opened.extractfile(member).read()


def _own() -> Path | None:
    """What your folder has of it, verified."""
    folder = own_folder()
    for place in (folder / NAME, folder / "Laws") if folder else ():
        for path in (place / _LIST, place / _ARCHIVE, place):
            if path.is_file() or (path.is_dir() and any((path / each).is_dir() for each in BRANCHES)):
                if is_published(path):
                    return path
                raise DataError(
                    f"holds other articles than the repository at {COMMIT[:8]}.",
                    path=path,
                    remedy=f"In a clone: git checkout {COMMIT[:8]}. Or take it away to have them downloaded.",
                )
    return None


def _fetched() -> Path:
    mirror = os.environ.get(MIRROR_VARIABLE)
    address = f"{mirror.rstrip('/')}/{NAME}/{_ARCHIVE}" if mirror else ADDRESS
    return download(address, _cached(), is_published, _remedy())


def _cached() -> Path:
    import pooch

    return Path(pooch.os_cache("hanlp_tutor"), NAME, _ARCHIVE)


def _remedy() -> str:
    return (
        f"Set {FOLDER_VARIABLE} to a folder with a clone of {REPOSITORY} at {COMMIT[:8]} as {NAME}/, or with "
        f"{NAME}/{_ARCHIVE}, fetched on another machine from {ADDRESS}; or {MIRROR_VARIABLE} to the address of such a "
        "folder on a server."
    )


@lru_cache(maxsize=2)
def _load(path: Path, split: str) -> Corpus:
    examples = [
        LabelledText(text.replace(_UNSEEN, ""), branch, f"{NAME}/{_LIST}:{number}", statute)
        for number, (text, branch, statute) in enumerate(read_articles(path), 1)
    ]
    parts = _by_statute(examples) if split == "statutes" else split_stratified(examples)
    sets = (parts.train, parts.dev, parts.test)
    statutes = [len({(each.label, each.group) for each in part}) for part in sets]
    how = {
        "statutes": f"each statute in one set ({' / '.join(map(str, statutes))})",
        "articles": "the articles dealt out one by one, so that nearly every statute is in all sets",
    }[split]
    return Corpus(
        name=NAME,
        task="classify",
        train=tuple(parts.train),
        dev=tuple(parts.dev),
        test=tuple(parts.test),
        licence="None is needed: statutes bear no copyright in China (Copyright Law of the PRC, Art. 5).",
        citation=f"{REPOSITORY} (LawRefBook), commit {COMMIT[:8]}.",
        provenance=(
            f"{len(examples):,} articles of {len({(each.label, each.group) for each in examples})} statutes of the PRC "
            f"in the newest version that github.com/LawRefBook/Laws has at {COMMIT[:8]}, from the folders of "
            f"{len(set(BRANCHES.values()))} branches of law; amendments, articles under {FEWEST} characters and repeats"
            " are left out, numbers of articles and zero-width spaces dropped. A few articles carry what stands below"
            f" a heading behind them, such as an annex. Split: {how}; {' / '.join(f'{len(part):,}' for part in sets)} "
            "articles."
        ),
    )


def _by_statute(examples: list[LabelledText]) -> Split[LabelledText]:
    """Whole statutes; a branch that is one statute can only be learnt, or be asked for by somebody who never saw it."""
    statutes = Counter(branch for branch, _ in {(each.label, each.group) for each in examples})
    parts = split_groups([each for each in examples if statutes[each.label] > 1])
    train = [*parts.train, *(each for each in examples if statutes[each.label] == 1)]
    return Split(split_stratified(train, ratio=(1, 0, 0)).train, parts.dev, parts.test)  # shuffled again, nothing else
