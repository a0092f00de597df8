"""A scan read by RapidOCR: PP-OCRv6's small models (PaddlePaddle, Apache 2.0), which its wheel brings along.

A detector finds boxes of text, a recogniser reads each (光学字符识别). Nothing is downloaded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hanlp_tutor.errors import DataError
from hanlp_tutor.extras import needs
from hanlp_tutor.scans.lines import Line

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST = 40_000_000  # pixels: an A4 sheet at 600 dots an inch has 35 million
_ADVICE = "Save it as PNG or JPEG; of a PDF, each page as a picture of 150 dots an inch."


class Reading(NamedTuple):
    """What was read of a scan.

    Args:
        lines: in the coordinates of ``image``, without tags.
        image: the scan turned upright, whose size is that of the scan.
        skew: by which it was turned, degrees.
    """

    lines: tuple[Line, ...]
    image: Image
    skew: float


def open_scan(path: str | Path) -> Image:
    """A picture file in colour.

    Raises:
        DataError: no such file, no picture, or one of more than LARGEST pixels; says what to do.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            width, height = image.size
            if width * height <= LARGEST:
                return ImageOps.exif_transpose(image).convert("RGB")
    except FileNotFoundError:
        raise DataError("there is no such file.", path=path, remedy="Check its name and folder.") from None
    except Image.DecompressionBombError:
        width, height = "very many", "pixels"
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        why = "cannot be read" if isinstance(error, PermissionError) else "is no picture, or a damaged one"
        raise DataError(f"this file {why}.", path=path, remedy=_ADVICE) from None
    raise DataError(
        f"{width} × {height} is more than {LARGEST:,} pixels.", path=path, remedy="Scan it at 150 to 300 dots an inch."
    )


def read_scan(image: Image) -> Reading:
    """All text that the OCR finds, with its boxes, once the scan is upright.

    Raises:
        ConfigError: the extra ``ocr`` is not installed.
    """
    found = _engine()(np.asarray(image.convert("RGB"))[:, :, ::-1])  # blue, green, red, as OpenCV has it
    quads = [] if found.boxes is None else np.asarray(found.boxes, dtype=float)
    skew = skew_of(quads)
    lines = []
    for quad, text in zip(quads, found.txts or (), strict=True):
        corners = _turned(quad, skew, image.size)
        if text.strip():
            lines.append(Line(text, (*map(float, corners.min(0)), *map(float, corners.max(0)))))
    return Reading(tuple(lines), image.rotate(skew, fillcolor=(255, 255, 255)), skew)


def skew_of(quads: Sequence[Any]) -> float:
    """By how many degrees a page has to be turned to be upright: the median over its boxes, the wider the heavier.

    Corners are whole pixels, so the angle of a short box is coarse; and a stamp lies as it likes.

    Args:
        quads: of each box the corners (x, y), clockwise from the upper left.
    """
    tops = [(right[0] - left[0], right[1] - left[1]) for left, right, *_ in quads]
    wide = [(int(across), down) for across, down in tops if across > 150]
    slopes = [math.degrees(math.atan2(down, across)) for across, down in wide]
    return float(np.median(np.repeat(slopes, [across for across, _ in wide]))) if wide else 0.0


def _turned(points: np.ndarray, degrees: float, size: tuple[int, int]) -> np.ndarray:
    """Points (n, 2) turned about the middle of the page as ``Image.rotate`` turns the page."""
    turn, middle = math.radians(degrees), np.array(size) / 2
    matrix = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    return (points - middle) @ matrix.T + middle


@lru_cache(maxsize=1)
def _engine() -> Any:
    """The OCR, silent and on one thread, so that runs side by side do not fight for cores."""
    rapidocr = needs("rapidocr", "Reading a scan")
    needs("onnxruntime", "Reading a scan")
    one = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    return rapidocr.RapidOCR(params={"Global.log_level": "critical", **one})
