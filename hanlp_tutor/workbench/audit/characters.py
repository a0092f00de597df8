"""Characters that no one sees, or that are not what they look like."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from hanlp_tutor.workbench.audit.report import Finding, times
from hanlp_tutor.workbench.audit.subsets import Subset

# Inside an emoji (👩‍⚕️) the zero-width joiner and the variation selector do what they are for.
_EMOJI = "\u2600-\u27bf\U0001f000-\U0001faff"
_IN_PLACE = re.compile(f"(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])|\r(?=\n)")  # and Windows' end of a line
_FULL_WIDTH = re.compile("[０-９Ａ-Ｚａ-ｚ]")
_ASCII = re.compile("[0-9A-Za-z]")
_KINDS = {
    "Cc": "a control character",
    "Cf": "invisible",
    "Cn": "not assigned to any character",
    "Co": "private: each font shows something else",
    "Cs": "half of a surrogate pair",
    "Zl": "a line separator inside a text",
    "Zp": "a paragraph separator inside a text",
    "Zs": "an unusual space",
}
_LOOK_ALIKE = ("KANGXI RADICAL", "CJK RADICAL", "CJK COMPATIBILITY IDEOGRAPH")


def odd(character: str) -> tuple[str, str] | None:
    """What is odd about a character and what to do, or None. The ideographic space U+3000 is usual in Chinese."""
    if character == "\ufffd":
        return (
            "what a wrong encoding leaves of a character: the text is lost",
            "Export the text again, as UTF-8, from where it is still whole.",
        )
    category = unicodedata.category(character)
    if category in _KINDS and character not in " \u3000\n":
        return _KINDS[category], "Remove it, together with its tag, or replace it by what is meant."
    plain = unicodedata.normalize("NFKC", character)
    if unicodedata.name(character, "").startswith(_LOOK_ALIKE):
        looks = f", looks like {plain} (U+{ord(plain[0]):04X})" if plain != character else ""
        return f"not the usual character{looks}", "Replace it: to the encoder it is another character, mostly [UNK]."
    return None


def check_characters(subsets: Sequence[Subset]) -> list[Finding]:
    """One finding for each odd character of a set, and one where full-width and ASCII letters are mixed."""
    findings = []
    for subset in subsets:
        texts = [_IN_PLACE.sub("", example.text) for example in subset.examples]
        counts = Counter()
        for text in texts:
            counts.update(text)
        for character in sorted(counts):
            if problem := odd(character):
                index = next(i for i, text in enumerate(texts) if character in text)
                name = unicodedata.name(character, "no name")
                findings.append(
                    Finding(
                        "odd-character",
                        "error" if character == "\ufffd" else "warning",
                        f"U+{ord(character):04X} ({name}), {times(counts[character])}: {problem[0]}.",
                        problem[1],
                        **subset.place(index, subset.examples[index].text.index(character)),
                        evidence={"character": f"U+{ord(character):04X}", "count": counts[character]},
                    )
                )
        findings += _mixed_width(subset, counts)
    return findings


def _mixed_width(subset: Subset, counts: Counter[str]) -> list[Finding]:
    full, narrow = (
        sum(number for character, number in counts.items() if pattern.match(character))
        for pattern in (_FULL_WIDTH, _ASCII)
    )
    if not full or not narrow:
        return []
    rare = _FULL_WIDTH if full <= narrow else _ASCII
    index, found = next((i, m) for i, e in enumerate(subset.examples) if (m := rare.search(e.text)))
    return [
        Finding(
            "odd-character",
            "warning",
            f"letters and digits of two widths: {full:,} full-width, {narrow:,} ASCII; the rarer kind begins here.",
            "Write them all in one width, in training and in use: to the encoder Ａ and A are two characters.",
            **subset.place(index, found.start()),
            evidence={"full_width": full, "ascii": narrow},
        )
    ]
