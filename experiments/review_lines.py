"""``python -m experiments.review_lines``: what holds the lines of a review together, counted, and read by eye.

Among lines that stand in three places of a file, how many keep the line below them in all three: by subject, and by
whether a mark joins them. Then 100 places drawn by chance (50 that the rule joins, 50 that it parts), read by one
of us: how often the rule is right. A place that a reader could not tell counts against the rule. Ten seconds.
"""

import argparse
import hashlib
import json
from collections import defaultdict

from hanlp_tutor.corpora import review_lines
from hanlp_tutor.corpora.package import find_file
from hanlp_tutor.corpora.reviews import FILES
from hanlp_tutor.data.lines import read_lines
from hanlp_tutor.device import choose_device, describe_device
from hanlp_tutor.manifest import manifest
from hanlp_tutor.teach.results import Experiment

READ = 50  # places of each kind
DRAW = 7
# Where the reader disagrees or could not tell: (file, number of the lower line).
NOT_ONE_REVIEW = {
    ("neg.txt", 967),
    ("neg.txt", 2809),
    ("neg.txt", 3365),
    ("neg.txt", 4187),
    ("neg.txt", 4439),
    ("neg.txt", 8867),
    ("neg.txt", 8901),
    ("neg.txt", 10371),
    ("neg.txt", 12790),
    ("neg.txt", 14088),
    ("neg.txt", 15532),
    ("pos.txt", 2314),
    ("pos.txt", 8540),
    ("pos.txt", 9126),
    ("pos.txt", 10535),
}
NOT_TWO_REVIEWS = {
    ("neg.txt", 13749),
    ("neg.txt", 14226),
    ("neg.txt", 14368),
    ("neg.txt", 17517),
    ("pos.txt", 11657),
    ("pos.txt", 11775),
    ("pos.txt", 11869),
    ("pos.txt", 13991),
    ("pos.txt", 15205),
}
Place = tuple[str, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--show", action="store_true", help="print the places that are to be read, and do nothing else")
    show = parser.parse_args().show
    files = {name.split("/")[1]: [line.strip() for line in read_lines(find_file(name))] for name in FILES}
    groups = {file: review_lines.groups(file, lines) for file, lines in files.items()}
    joined, parted = drawn(files, groups)
    if show:
        for title, places in (("joined", joined), ("parted", parted)):
            for file, number in sorted(places):
                print(f"{title} {file}:{number} …{files[file][number - 2][-60:]} ⏎ {files[file][number - 1][:60]}")
        return
    settings = {"read": READ, "draw": DRAW, "hotels": dict(review_lines.HOTELS)}
    experiment = Experiment("review_lines", settings, manifest(describe_device(choose_device())))
    rule = {"rule": hash_of(groups)}
    for subject in ("books", "hotels", "computers"):
        for marked in (True, False):
            row = f"{subject}, {'marked' if marked else 'no mark'}"
            experiment.measure(row, (DRAW,), lambda _, s=subject, m=marked: kept(files, s, m), depends_on=rule)
    missing = (NOT_ONE_REVIEW - joined) | (NOT_TWO_REVIEWS - parted)
    if missing:
        raise SystemExit(
            f"The rule has changed since the places were read: {sorted(missing)} were not drawn. Read anew."
        )
    right = {"joined, one review": len(joined - NOT_ONE_REVIEW), "parted, two reviews": len(parted - NOT_TWO_REVIEWS)}
    experiment.measure("read by eye", (DRAW,), lambda _: {**right, "places of each": READ}, depends_on=rule)


def hash_of(value: object) -> str:
    """The same on every machine."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def kept(files: dict[str, list[str]], subject: str, marked: bool) -> dict[str, float]:
    """Of the lines that stand in three places or more, the share with the same line below in all of them."""
    same = count = 0
    for file, lines in files.items():
        places = defaultdict(list)
        for number, line in enumerate(lines):
            places[line].append(number)
        marks = set(review_lines.marked(lines, places))
        for line, numbers in places.items():
            if len(line) < review_lines.TELLING or len(numbers) < 3:
                continue
            if review_lines.subject_of(file, numbers[0] + 1) != subject:
                continue
            if (numbers[0] + 1 in marks) == marked:
                count += 1
                same += len({"".join(lines[number + 1 : number + 2]) for number in numbers}) == 1
    return {"share": same / max(1, count), "lines": count}


def drawn(files: dict[str, list[str]], groups: dict[str, list[int]]) -> tuple[set[Place], set[Place]]:
    """Places that the rule joins to the line above, and others."""
    joined, parted = [], []
    for file, lines in files.items():
        of = groups[file]
        for number in range(1, len(lines)):
            if lines[number] and lines[number - 1]:
                (joined if of[number] == of[number - 1] else parted).append((file, number + 1))
    # by hash, so that most places stay drawn when the rule is mended
    first = [sorted(places, key=lambda place: hash_of([DRAW, *place]))[:READ] for places in (joined, parted)]
    return set(first[0]), set(first[1])


if __name__ == "__main__":
    main()
