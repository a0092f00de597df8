"""The published sets: each converts to every format that can carry it and back, without a lost or shifted span."""

from pathlib import Path

import pytest

from hanlp_tutor.data import FORMATS, convert, detect_format, read_documents, write_documents

SHARED = Path(__file__).parents[3] / "shared" / "data"
FILES = {
    "cmedqaner": [(f"cmedqaner/{subset}.txt", "columns", {}) for subset in ("train", "dev", "test")],
    "weibo": [
        (f"weibo/{subset}.conll", "columns", {"strip_segmentation_digits": True}) for subset in ("train", "dev", "test")
    ],
    "finre": [(f"finre/{subset}.txt", "relation", {}) for subset in ("train", "valid", "test")],
}
EVERY = 17  # so many-th text is taken; `python -m pytest` with 1 here takes minutes

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the real data sets are not part of the project")


def targets(form: str) -> list[str]:
    need = {"spans", "label"} if form == "relation" else {"spans"}
    return [name for name, each in FORMATS.items() if need <= each.carries and (name == form or name != "relation")]


def there_and_back(documents: list, form: str, target: str, folder: Path) -> None:
    """Write in the set's own format, convert to ``target`` and back; every text, span and label is as it was."""
    own, there, back = (folder / name for name in ("own.a", "there.b", "back.c"))
    write_documents(own, documents, form)
    done = convert(own, there, from_=form, to=target, overlaps="keep")
    assert done.entities == sum(len(each.spans) for each in documents)
    assert [line for line in done.notes if "overlaps" not in line] == []
    convert(there, back, from_=target, to=form, overlaps="keep")
    assert read_documents(back, form) == documents


@pytest.mark.parametrize(
    ("name", "target"), [(name, target) for name, files in FILES.items() for target in targets(files[0][1])]
)
def test_there_and_back(tmp_path, name, target):
    file, form, options = FILES[name][1]
    path = SHARED / file
    assert detect_format(path).name == form
    documents = read_documents(path, **options)[::EVERY]
    assert len(documents) > 10
    there_and_back(documents, form, target, tmp_path)


def test_the_sets_hold_what_their_papers_say():
    counts = {name: len(read_documents(SHARED / files[0][0], **files[0][2])) for name, files in FILES.items()}
    assert counts == {"cmedqaner": 1673, "weibo": 1350, "finre": 13486}
