"""Why a stored file was not read: damage is one reason of many, and the only one for which a file is thrown away."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile, ZipFile

from hanlp_tutor.errors import first_line
from hanlp_tutor.files import error_of_machine

# What the system says of itself or of the user's rights; others, such as EINVAL, are what a cut-off file leads to.
_OF_THE_SYSTEM = {
    getattr(errno, name)
    for name in ("EACCES", "EPERM", "EIO", "EMFILE", "ENFILE", "ENOSPC", "ENOTCONN", "ESTALE", "EBUSY", "EISDIR",
                 "ELOOP", "ENAMETOOLONG", "ETIMEDOUT", "EDQUOT", "EROFS")
    if hasattr(errno, name)
}  # fmt: skip
_RIGHTS = {errno.EACCES, errno.EPERM}
_DEVICE = re.compile(r"\b(cuda|cudnn|hip|mps|xpu|nvidia driver)\b|device ordinal|accelerator", re.IGNORECASE)
_VERSION = re.compile(r"does not recognize this architecture")  # transformers, of one that came later


def load_archive(path: str | Path) -> Any:
    """What ``torch.save`` wrote, on the CPU; its check sums are looked at, and no code in it is run.

    Raises:
        BadZipFile, and whatever else a damaged file leads to; :func:`other_than_damage` tells them apart.
    """
    import torch  # here: a diagnosis asks this module, and begins without torch

    with ZipFile(path) as archive:  # PyTorch writes check sums and does not look at them
        if archive.testzip() is not None:
            raise BadZipFile("a check sum is wrong")
    return torch.load(path, map_location="cpu", weights_only=True)


def other_than_damage(path: str | Path, error: BaseException) -> str | None:
    """The reason where the file itself is not at fault, in a sentence that begins with the path; None where it may be.

    Args:
        path: what was read.
        error: that it ended in; those that led to it are looked at too.
    """
    from hanlp_tutor.device import is_out_of_memory

    for each in _chain(error):
        said = str(each).replace(str(path), "")
        machine = error_of_machine(each)
        number = None if machine is None else machine.errno
        if is_out_of_memory(each) or number == errno.ENOMEM:
            return (
                f"{path}: memory ran out while it was read; the file is as it was. Close other programs, or read it "
                "on a machine with more memory."
            )
        if number in _OF_THE_SYSTEM:
            remedy = " Give yourself the right to read it." if number in _RIGHTS else ""
            return f"{path}: cannot be read ({_reason(each)}); the file is as it was.{remedy}"
        if isinstance(each, (RuntimeError, AssertionError)) and _DEVICE.search(said):
            return f"{path}: the device cannot be used ({first_line(each)}); the file is as it was. Try it on the CPU."
        if isinstance(each, UnpicklingError) and "weights" in said.lower():
            return (
                f"{path}: it holds more than tensors, so it was written by another version of the kit or of PyTorch, "
                "or by a stranger; nothing in it was run. Read it with the version that wrote it."
            )
        if _VERSION.search(said):
            return f"{path}: made with a newer transformers ({first_line(each)}). Install that, or one of its time."
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or first_line(error)
