"""What a predictor takes for a text, and what it says to anything else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hanlp_tutor.errors import InputError


def check_text(text: Any) -> str:
    """One text.

    Raises:
        InputError: something else; says how to make a text of it.
    """
    if not isinstance(text, str):
        raise InputError(f"predict takes one text, a str; this is {kind_of(text)}. For several: predict_many(texts).")
    return text


def check_list(texts: Any) -> list[Any]:
    """Several of what a predictor takes, as a list.

    Raises:
        InputError: something else, or one by itself.
    """
    if isinstance(texts, (str, bytes, dict)) or not isinstance(texts, Iterable):
        raise InputError(f"predict_many takes a list of texts; this is {kind_of(texts)}. For one text: predict(text).")
    return list(texts)


def check_texts(texts: Any) -> list[str]:
    """Several texts, as a list.

    Raises:
        InputError: something else, with the place of the first that is no text.
    """
    texts = check_list(texts)
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"Text {number} of the list (counted from 0) is {kind_of(text)}; pass a str.")
    return texts


def kind_of(value: object) -> str:
    """What something is that is no text, and how to make one of it."""
    hint = " (decode it first: value.decode('utf-8'))" if isinstance(value, bytes) else ""
    hint = " (join its characters first: ''.join(value))" if isinstance(value, list) else hint
    return f"of type {type(value).__name__}{hint}"
