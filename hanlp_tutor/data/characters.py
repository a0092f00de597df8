"""Text to token ids, the way HanLP will do it when it opens our models.

Tagging is by character (字): every Unicode code point of the input gets exactly one token and so exactly one label,
be it a digit, a letter of an English word, a space, an emoji or a character the vocabulary lacks. HanLP's own
recogniser does the same with ``list(text)`` (``hanlp.transform.transformer_tokenizer``: one piece of each token is
kept when the token has one character, ``[UNK]`` stands in when the tokenizer returns none), and a tagger must see in
service what it saw in training.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Half an emoji, as careless JSON has it: no tokenizer takes it. One code point stands in for one.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class TextEncoder:
    """Token ids of a text, by character for tagging and by the tokenizer's own pieces for classification."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        self.tokenizer = tokenizer
        self.cls_id, self.sep_id = tokenizer.cls_token_id, tokenizer.sep_token_id
        self.pad_id, self.unk_id = tokenizer.pad_token_id, tokenizer.unk_token_id
        self._pieces: dict[str, int] = {}

    def by_character(self, text: str) -> list[int]:
        """Exactly ``len(text)`` ids, without [CLS] and [SEP]."""
        text = _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
        unseen = sorted(set(text) - self._pieces.keys())
        if unseen:
            rows = self.tokenizer(unseen, add_special_tokens=False)["input_ids"]
            self._pieces.update(
                (character, row[0] if row else self.unk_id) for character, row in zip(unseen, rows, strict=True)
            )
        return [self._pieces[character] for character in text]

    def with_places(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The pieces of a whole text as HanLP's segmenter reads it: ids, and of each the characters that it covers.

        White space has no piece. What a tokenizer swallows otherwise becomes [UNK] in front of the next piece; a
        character that became several pieces is covered by each of them (``TransformerSequenceTokenizer``, its branch
        for strings).
        """
        read = self.tokenizer(
            _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text),
            add_special_tokens=False,
            return_offsets_mapping=True,
            verbose=False,
        )
        ids: list[int] = []
        places: list[tuple[int, int]] = []
        last = 0
        for piece, (start, end) in zip(read["input_ids"], read["offset_mapping"], strict=True):
            if start > last and not text[last:start].isspace():
                ids.append(self.unk_id)
                places.append((last, start))
            if end == last and places and places[-1][0] < start:
                places[-1] = (places[-1][0], start)
            ids.append(piece)
            places.append((start, end))
            last = end
        if not ids and text.strip():
            return [self.unk_id], [(0, len(text))]
        return ids, places

    def whole(self, text: str) -> list[int]:
        """The tokenizer's ids of a whole text, of any length, without [CLS] and [SEP]."""
        text = _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
        # verbose=False: the warning about lengths over 512 is not ours to give, long texts are read by windows
        return self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
