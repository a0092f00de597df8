"""More text to pre-train on, in simplified characters: reading-comprehension sets (CC BY-SA), dialogues (Apache-2.0).

``python tools/open_text.py FOLDER`` writes ``wikipedia.txt``, ``stories.txt`` and ``dialogues.txt``, one paragraph or
dialogue a line, and ``NAME.licence`` beside each. It needs OpenCC (``pip install opencc``) and the sets' files: from
``HANLP_TUTOR_DATA`` (``cmrc2018/cmrc2018_dev.json`` ...) or the network. Of questions and answers only the words that
had been cut out of the text are taken. The text is not part of this project; the embedded encoders read it, as it was
when OpenCC went over the simplified sets too and made 幺 of some 么.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from operator import methodcaller
from pathlib import Path

from hanlp_tutor.corpora.remote import RemoteFile, RemoteSet, fetch
from hanlp_tutor.files import write_file

_GITHUB = "https://raw.githubusercontent.com"
SHORTEST = 10  # characters of a paragraph


def squad_paragraphs(path: Path) -> list[str]:
    """The paragraphs of a file in the layout of SQuAD (Rajpurkar et al. 2016)."""
    articles = json.loads(_text(path))["data"]
    return [paragraph["context"] for article in articles for paragraph in article["paragraphs"]]


def stories_with_clauses(path: Path) -> list[str]:
    """The stories of CMRC 2019, missing clauses put back; where they are not given, what stands between the gaps."""
    stories = []
    for story in json.loads(_text(path))["data"]:
        parts = re.split(r"\[BLANK(\d+)\]", story["context"])  # text, number of a gap, text, ...
        if [int(number) for number in parts[1::2]] == list(range(1, len(story["answers"]) + 1)):
            parts[1::2] = [story["choices"][answer] for answer in story["answers"]]
            stories.append("".join(parts))
        else:
            stories.extend(part.strip("，。、；： ") for part in parts[0::2])
    return [story for story in stories if len(story) >= SHORTEST]


def cloze_documents(path: Path) -> list[str]:
    """The documents of a cloze test: lines of ``N ||| words``, then ``N or <qid_N> ||| question [||| missing word]``.

    Where the missing word is not given, the sentence that lacks it is left out.
    """
    documents, sentences = [], []
    for line in _text(path).splitlines():
        cells = [cell.strip() for cell in line.split("|||")]
        if len(cells) == 2 and cells[0].isdigit():
            sentences.append(cells[1])
        elif len(cells) > 1:
            if len(cells) == 3:
                sentences = [sentence.replace("XXXXX", cells[2]) for sentence in sentences]
            documents.append("".join("".join(s.split()) for s in sentences if "XXXXX" not in s))
            sentences = []
    return documents


def dialogues(path: Path) -> list[str]:
    """What both speakers say, one dialogue a text: of CrossWOZ (by number) or of KdConv (a list)."""
    content = json.loads(_text(path))
    talks = content.values() if isinstance(content, dict) else content
    return ["".join(turn.get("content") or turn["message"] for turn in talk["messages"]) for talk in talks]


def _text(path: Path) -> str:
    """Of a file, or of all files in an archive."""
    if path.suffix != ".zip":
        return path.read_text(encoding="utf-8-sig")
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        return "\n".join(archive.read(name).decode("utf-8-sig") for name in names)


def _set(
    name: str,
    address: str,
    read: Callable[[Path], list[str]],
    files: dict[str, str],
    licence: str,
    citation: str,
    provenance: str,
) -> RemoteSet:
    remote = tuple(RemoteFile("train", file.replace("/", "-"), file, sha256) for file, sha256 in files.items())
    return RemoteSet(name, "text", address, remote, "as published", read, licence, citation, provenance)


WIKIPEDIA = (
    _set(
        "cmrc2018",
        f"{_GITHUB}/ymcui/cmrc2018/c0eb1b6ba219847457e6af3180da722bbeb656af/squad-style-data",
        squad_paragraphs,
        {
            "cmrc2018_dev.json": "e9ff74231f05c230c6fa88b84441ee334d97234cbb610991cd94b82db00c7f1f",
            "cmrc2018_trial.json": "f3fae95b57da8e03afb2b57467dd221417060ef4d82db13bf22fc88589f3a6f3",
        },
        "CC BY-SA 4.0",
        "Cui Yiming et al. (2019): A Span-Extraction Dataset for Chinese Machine Reading Comprehension. EMNLP 2019.",
        "CMRC 2018, paragraphs of Wikipedia, its dev and trial files",
    ),
    _set(
        "drcd",
        f"{_GITHUB}/DRCKnowledgeTeam/DRCD/b944790de5af02c5fbb7cd9cb1473d27d169eebf",
        squad_paragraphs,
        {
            "DRCD_dev.json": "e236df03861ba241bd7b29628cd48b3b8e339c60137e041a4358b5320ed61928",
            "DRCD_test.json": "d9de0b4d247a8391ac8daee6c02c2c8272b75562a1e2377b50ae04ecc09a7438",
        },
        "CC BY-SA 3.0",
        "Shao Chih Chieh et al. (2018): DRCD: a Chinese Machine Reading Comprehension Dataset. arXiv 1806.00920.",
        "Delta Reading Comprehension Dataset, paragraphs of Wikipedia, its dev and test files, turned from traditional "
        "into simplified characters by OpenCC",
    ),
    _set(
        "expmrc",
        f"{_GITHUB}/ymcui/expmrc/9827fed6466f295252f9054c56ec7b233d46e636/pseudo_training_data",
        squad_paragraphs,
        {"train-pseudo-cmrc2018.zip": "7ce0a9a5765d7212cc1bed0f7c0a8a89a3a3c9e6407b7770ac7c26bc2b044d13"},
        "CC BY-SA 4.0",
        "Cui Yiming et al. (2022): ExpMRC: Explainability Evaluation for Machine Reading Comprehension. Heliyon 8 (4).",
        "CMRC 2018, paragraphs of Wikipedia, its train file as ExpMRC holds it",
    ),
)
STORIES = (
    _set(
        "cmrc2019",
        f"{_GITHUB}/ymcui/cmrc2019/f3808ee33f74a59aaf78f8635e6d5177c49f7cc2/data",
        stories_with_clauses,
        {
            "cmrc2019_dev.json": "a6a24faa3ebd85ff2c514bc489cbf78bc95f65bfcf479c72714502b8a0a61ced",
            "cmrc2019_qualify.json": "724878548d09878105255fcb01e63ea427409f05c55b5f6289b361440dfff79e",
            "cmrc2019_trial.json": "849aacdee751afe766f2e610e58f5972a2575d4f91037ffa3db2cdc6c9b23d9f",
        },
        "CC BY-SA 4.0",
        "Cui Yiming et al. (2020): A Sentence Cloze Dataset for Chinese Machine Reading Comprehension. COLING 2020.",
        "CMRC 2019, stories, its dev, qualify and trial files",
    ),
    _set(
        "cft",
        f"{_GITHUB}/ymcui/Chinese-Cloze-RC/6528947e62d6dce6f36a0552235ed4f9ea7d04da/children_fairy_tale",
        cloze_documents,
        {"cft.zip": "03e630a48fd1ed5d90fb222c0a9e7fb362c9a8f73a63ba5052a5cc2f5757a48d"},
        "CC BY-SA 4.0",
        "Cui Yiming et al. (2016): Consensus Attention-based Neural Networks for Chinese Reading Comprehension. "
        "COLING 2016.",
        "PD&CFT, children's fairy tales, both test files",
    ),
    _set(
        "cmrc2017",
        f"{_GITHUB}/ymcui/cmrc2017/ce611f621771b52af762f7a9bc4f0f87ce91f978/validation",
        cloze_documents,
        {
            "cloze.valid.doc_query": "884f02e323fc2b73a8ae7fe0a829e649afff31aca762d23fea86be5036785733",
            "user.valid.doc_query": "a0e7ebe3c65267a3df85e5815210551d0e819808505f6a3e7a000b155fde8e77",
        },
        "CC BY-SA 4.0",
        "Cui Yiming et al. (2018): Dataset for the First Evaluation on Chinese Machine Reading Comprehension. "
        "LREC 2018.",
        "CMRC 2017, children's stories, its validation files",
    ),
)
DIALOGUES = (
    _set(
        "crosswoz",
        f"{_GITHUB}/thu-coai/CrossWOZ/df82c9fdff91b9b130f2d6b89110d3870ba6260e/data/crosswoz",
        dialogues,
        {
            "val.json.zip": "b2b717990f6f0a1c98daaf5dc465e61d42f7de69c0d31e88e674275b1f34c94c",
            "test.json.zip": "e57703894995211bba8638f130dc7df81e8992b71f3c05c10022ad23d6ca5310",
        },
        "Apache License 2.0",
        "Zhu Qi et al. (2020): CrossWOZ: A Large-Scale Chinese Cross-Domain Task-Oriented Dialogue Dataset. TACL 8.",
        "CrossWOZ, travellers' dialogues on hotels, restaurants and sights, its val and test files",
    ),
    _set(
        "kdconv",
        f"{_GITHUB}/thu-coai/KdConv/653db76432de09a004ba708a68f8bbd5500e6bec/data",
        dialogues,
        {
            "film/dev.json": "2f156d8d34bdd3eac31c196772156d36e017f8cb2255a2c312bd98e367ed363e",
            "film/test.json": "5ba2b79f9791bedbe5fe8a1bf5d7cbf277697743ee426ecd05459d9e28bcf21b",
            "music/dev.json": "ee34a4af167195db43fdcc910f8d125956222517f0572d248a069057493d557f",
            "music/test.json": "46f048c5db9dde45127cf6630b2fa06b685be369b71c5bc2dc3022d3f4bbad65",
            "travel/dev.json": "8d1f31295888cf61eff398bab8aa042f7fccd04a088bd63c939f0b79625a9093",
            "travel/test.json": "730426b0997b8375c8477c7e658c0ec645fced6ab8d546adda114b21cf30faac",
        },
        "Apache License 2.0",
        "Zhou Hao et al. (2020): KdConv: A Chinese Multi-domain Dialogue Dataset Towards Multi-turn Knowledge-driven "
        "Conversation. ACL 2020.",
        "KdConv, dialogues on films, music and travel, its dev and test files",
    ),
)
TEXTS = {
    "wikipedia": (
        WIKIPEDIA,
        "The articles were written by the authors of the Chinese Wikipedia, whose licence allows any use that names "
        "them and passes the licence on.",
    ),
    "dialogues": (DIALOGUES, "The dialogues were written for the sets by paid annotators."),
    "stories": (STORIES, "The sets name no authors of the stories; their licence is the sets' own."),
}
TRADITIONAL = ("drcd",)  # sets in traditional characters; OpenCC would spoil a simplified one (some 么 become 幺)


def simplified(sets: tuple[RemoteSet, ...]) -> Iterator[str]:
    """Each paragraph once, on one line."""
    seen = set()
    for remote_set in sets:
        convert = _converter() if remote_set.name in TRADITIONAL else str
        for path in fetch(remote_set):
            for paragraph in remote_set.read(path):
                line = " ".join(convert(paragraph).split())
                if line not in seen:
                    seen.add(line)
                    yield line


def _converter() -> Callable[[str], str]:
    from opencc import OpenCC

    return OpenCC("tw2s").convert


def licence(name: str) -> str:
    """What a card must say of a text."""
    sets, authors = TEXTS[name]
    sources = [f"{each.provenance} ({each.citation} {each.licence})" for each in sets]
    return f"{'; '.join(sources)}. {authors} This project does not redistribute the text."


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name, (sets, _) in TEXTS.items():
        lines = list(simplified(sets))
        for file, content in ((f"{name}.txt", "\n".join(lines)), (f"{name}.licence", licence(name))):
            write_file(folder / file, methodcaller("write", f"{content}\n".encode()))
        print(f"{len(lines):,} paragraphs, {sum(map(len, lines)):,} characters: {folder / name}.txt")
