"""Real data sets that lie elsewhere: a registry, and their files from a folder of yours, the cache or the network.

A folder (``HANLP_TUTOR_DATA``) and a mirror (``HANLP_TUTOR_MIRROR``) have one layout: ``weibo/train.conll``. A file
counts only when its checksum is that of the published one, wherever it comes from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from hanlp_tutor.corpora.download import download, is_published
from hanlp_tutor.corpora.package import FOLDER_VARIABLE, Corpus, own_folder
from hanlp_tutor.data import read_columns
from hanlp_tutor.data.relations import read_relations
from hanlp_tutor.errors import DataError

MIRROR_VARIABLE = "HANLP_TUTOR_MIRROR"


@dataclass(frozen=True)
class RemoteFile:
    """A file of a data set.

    Args:
        subset: which it holds: ``train``, ``dev`` or ``test``.
        name: here, in a folder of yours and in the cache.
        published: its name below the address of the set.
        checksum: SHA-256, or git's name of the content (:func:`hanlp_tutor.corpora.download.is_published`).
    """

    subset: str
    name: str
    published: str
    checksum: str


@dataclass(frozen=True)
class RemoteSet:
    """A data set as its authors publish it.

    Args:
        name: as given to ``load_corpus``; the folder of its files.
        task: ``ner`` or ``relation``.
        address: of the folder of its files. It names a commit, so that the checksums stay right.
        files: those of ``train``, ``dev`` and ``test``.
        format: of the files, for a person.
        read: reads one of them.
        licence, citation, provenance: as for :class:`~hanlp_tutor.corpora.package.Corpus`.
    """

    name: str
    task: str
    address: str
    files: tuple[RemoteFile, ...]
    format: str
    read: Callable[[Path], Sequence[Any]]
    licence: str
    citation: str
    provenance: str


_GITHUB = "https://raw.githubusercontent.com"

SETS = {
    each.name: each
    for each in (
        RemoteSet(
            name="cmedqaner",
            task="ner",
            address=f"{_GITHUB}/alibaba-research/ChineseBLUE/52eefc9d5cb1839348546c8a473c633d4d9d60a8/data/cMedQANER",
            files=(
                RemoteFile(
                    "train",
                    "train.txt",
                    "train.txt",
                    "f8fb2385e00b91c6062b3ced1fef730c07f793d5a20ed2f3631f96b96e9fd2b2",
                ),
                RemoteFile(
                    "dev", "dev.txt", "dev.txt", "24edab3aa8b7d8c45e638ad4a2e0437c09cbf4ea14d429fc5a4387f2e907f9d6"
                ),
                RemoteFile(
                    "test", "test.txt", "test.txt", "68975c9ce692c0d07fe7b2e17762191d2ca55048e6a23819b77de6f943109ffb"
                ),
            ),
            format="character, space, tag such as B_disease; a blank line between sentences",
            read=read_columns,
            licence="Apache License 2.0 (that of the repository ChineseBLUE).",
            citation=(
                "Zhang Ningyu, Jia Qianghuai, Yin Kangping, Dong Liang, Gao Feng, Hua Nengwei (2020): Conceptualized "
                "Representation Learning for Chinese Biomedical Text Mining. arXiv 2008.10813."
            ),
            provenance=(
                "cMedQANER: questions that patients asked online, tagged with eleven medical types; the authors' own "
                "split, from github.com/alibaba-research/ChineseBLUE, data/cMedQANER."
            ),
        ),
        RemoteSet(
            name="weibo",
            task="ner",
            address=f"{_GITHUB}/hltcoe/golden-horse/7a73c08e45ed94312af4ef2d97cc35a47d029e99/data",
            files=(
                RemoteFile(
                    "train",
                    "train.conll",
                    "weiboNER_2nd_conll.train",
                    "4e8954c54ab33b0afc9a8abb85715c47422645cc6d1b49fdb24540f4a427e997",
                ),
                RemoteFile(
                    "dev",
                    "dev.conll",
                    "weiboNER_2nd_conll.dev",
                    "e72730d83aac680505280b6301c879b3ba470d29ac308979d48cdc58ee4907cc",
                ),
                RemoteFile(
                    "test",
                    "test.conll",
                    "weiboNER_2nd_conll.test",
                    "faaf6c0ebde5348b935cfd5c89f0f22c9e0779d60667d8b5efbc647b6707d50e",
                ),
            ),
            format="character and its place in the word (科0), tab, tag; a blank line between messages",
            read=partial(read_columns, strip_segmentation_digits=True),
            licence="Annotations: CC BY-SA 3.0. The messages were written by users of Sina Weibo.",
            citation=(
                "Peng Nanyun, Dredze Mark (2015): Named Entity Recognition for Chinese Social Media with Jointly "
                "Trained Embeddings. EMNLP 2015. For the revised edition also He Hangfeng, Sun Xu (2016), "
                "arXiv 1611.04234."
            ),
            provenance=(
                "Weibo NER, revised edition: messages with persons, organisations, places and geo-political entities, "
                "each as a name (NAM) or a common noun (NOM); the authors' own split, from github.com/hltcoe/"
                "golden-horse, data/weiboNER_2nd_conll.*. The digits behind the characters are dropped."
            ),
        ),
        RemoteSet(
            name="peoples_daily_ner",
            task="ner",
            address=f"{_GITHUB}/zjy-ucas/ChineseNER/48e1007e60194c13377f8ce612c505d484b18c7d/data",
            files=(
                # git's own name of the content: the file itself was not at hand when this was written
                RemoteFile("train", "train.txt", "example.train", "388fee7ca0b548fe2c35ff176a0c4412b0ca2329"),
                RemoteFile(
                    "dev",
                    "dev.txt",
                    "example.dev",
                    "7d8e6fcd1745e6adcb99d90307d84c3a0f9f8ff5ee6fe62ca27646cb765fc38a",
                ),
                RemoteFile(
                    "test",
                    "test.txt",
                    "example.test",
                    "233299005f941a4b055e38aadcf3ee853e44bc1f88166078d3b52b26b77ea362",
                ),
            ),
            format="character, space, tag in BIO; a blank line between sentences",
            read=read_columns,
            licence="None is stated. For tests and scores alone; the newspaper's articles were written by others.",
            citation="github.com/zjy-ucas/ChineseNER, data/example.{train,dev,test}, commit 48e1007e.",
            provenance=(
                "The usual benchmark of entities in the People's Daily: persons, places and organisations with their "
                "full names (20,864 / 2,318 / 4,636 sentences as published). HanLP's sample of the newspaper, "
                "`peoples_daily`, marks far fewer organisations."
            ),
        ),
        RemoteSet(
            name="finre",
            task="relation",
            address=f"{_GITHUB}/thunlp/Chinese_NRE/2cd47e6dc1b95e8ca3e93b5b8567666c37c5d654/data/FinRE",
            files=(
                RemoteFile(
                    "train",
                    "train.txt",
                    "train.txt",
                    "1dc75af255bb2da7e3c01952f1b97b20fe3f4b5f06f307d9d265843345898267",
                ),
                RemoteFile(
                    "dev", "valid.txt", "valid.txt", "94842290437ca421cf93b544a4caf8f3e9355ffe754ac04780a072dcb984c72c"
                ),
                RemoteFile(
                    "test", "test.txt", "test.txt", "f8bfff9691ccdea0fd4e0fcdb38c3cf7c41d75a1f9e5e3e84818e87370258151"
                ),
            ),
            format="head, tail, relation, sentence, with tabs between; blank lines between",
            read=read_relations,
            licence="MIT (that of the repository Chinese_NRE).",
            citation=(
                "Li Ziran, Ding Ning, Liu Zhiyuan, Zheng Haitao, Shen Ying (2019): Chinese Relation Extraction with "
                "Multi-Grained Information and External Linguistic Knowledge. ACL 2019."
            ),
            provenance=(
                "FinRE: sentences of financial news and the relation of two companies in them, `unknown` where there "
                "is none; numbers are written <N>. The authors' own split, from github.com/thunlp/Chinese_NRE, "
                "data/FinRE."
            ),
        ),
    )
}


def load(remote_set: RemoteSet) -> Corpus:
    """A set with its authors' split, read once per process; what is missing is downloaded.

    Raises:
        DataError: a file that cannot be had, or is not the published one.
    """
    return _load(remote_set, fetch(remote_set))


def fetch(remote_set: RemoteSet) -> tuple[Path, ...]:
    """The set's verified files in the order train, dev, test.

    Raises:
        DataError: as :func:`load`.
    """
    return tuple(_find(remote_set, file) or _download(remote_set, file) for file in remote_set.files)


def locate(remote_set: RemoteSet) -> tuple[Path, ...]:
    """The same without asking the network.

    Raises:
        DataError: a file that is neither in your folder nor in the cache.
    """
    paths = []
    for file in remote_set.files:
        path = _find(remote_set, file)
        if path is None:
            remedy = f"Call load_corpus({remote_set.name!r}), or: {_remedy(remote_set, file)}"
            raise DataError("is not downloaded yet.", path=f"{remote_set.name}/{file.name}", remedy=remedy)
        paths.append(path)
    return tuple(paths)


def _find(remote_set: RemoteSet, file: RemoteFile) -> Path | None:
    """A verified file in the user's folder, under its name here or as published, or in the cache."""
    folder = own_folder()
    for name in (file.name, file.published) if folder else ():
        own = Path(folder, remote_set.name, name)
        if own.is_file():
            if is_published(own, file.checksum):
                return own
            raise DataError(
                "is not the published file: its checksum differs. It may be incomplete or changed.",
                path=own,
                remedy=f"Put {remote_set.address}/{file.published} there, or take it away to have it downloaded.",
            )
    cached = _cached(remote_set, file)
    return cached if cached.is_file() and is_published(cached, file.checksum) else None


def _download(remote_set: RemoteSet, file: RemoteFile) -> Path:
    mirror = os.environ.get(MIRROR_VARIABLE)
    if mirror:
        address = f"{mirror.rstrip('/')}/{remote_set.name}/{file.name}"
    else:
        address = f"{remote_set.address}/{file.published}"
    return download(address, _cached(remote_set, file), file.checksum, _remedy(remote_set, file))


def _cached(remote_set: RemoteSet, file: RemoteFile) -> Path:
    import pooch

    return Path(pooch.os_cache("hanlp_tutor"), remote_set.name, file.name)


def _remedy(remote_set: RemoteSet, file: RemoteFile) -> str:
    return (
        f"Set {FOLDER_VARIABLE} to a folder that holds {remote_set.name}/{file.name}, fetched on another machine from "
        f"{remote_set.address}/{file.published}, or {MIRROR_VARIABLE} to the address of such a folder on a server."
    )


@lru_cache(maxsize=4)
def _load(remote_set: RemoteSet, paths: tuple[Path, ...]) -> Corpus:
    name = remote_set.name
    subsets = {}
    for file, path in zip(remote_set.files, paths, strict=True):
        # file:line without the folder of this machine
        subsets[file.subset] = tuple(
            replace(example, source=f"{name}/{file.name}:{example.source.rpartition(':')[2]}")
            for example in remote_set.read(path)
        )
    return Corpus(
        name=name,
        task=remote_set.task,
        **subsets,
        licence=remote_set.licence,
        citation=remote_set.citation,
        provenance=f"{remote_set.provenance} {' / '.join(f'{len(subset):,}' for subset in subsets.values())} examples.",
    )
