"""What a scanner does to a page, in one number: skew, blur, speckles, a stamp across the text."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np

from hanlp_tutor.scans.pages import font

if TYPE_CHECKING:
    from PIL.Image import Image

SKEW, BLUR, SPECKLE, FADE = 0.6, 0.35, 13.0, 0.1  # a unit of noise: degrees, pixels, grey levels, share of the ink
STAMP = "合成样本"


def scanned(image: Image, noise: float, seed: int, *, stamp: bool = True) -> Image:
    """A page as it comes from a scanner, in colour; equal seeds give equal scans.

    Args:
        image: greyscale, upright.
        noise: 0 is a clean copy with a stamp, 1 a good scanner, 3 a bad one.
        seed: of the skew's direction, the speckles, the stamp's place.
        stamp: whether there is one; without it all the rest stays as it is.
    """
    from PIL import Image, ImageDraw, ImageFilter

    draw = random.Random(seed)
    paper = np.asarray(image.filter(ImageFilter.GaussianBlur(BLUR * noise)), dtype=np.float32)
    paper = 255 - (255 - paper) * (1 - FADE * noise)
    page = Image.fromarray(paper.clip(0, 255).astype(np.uint8)).convert("RGB")
    seal = Image.new("RGBA", (200, 64), (0, 0, 0, 0))
    pen = ImageDraw.Draw(seal)
    pen.rectangle((2, 2, 197, 61), outline=(200, 30, 40, 150), width=4)
    pen.text((20, 9), STAMP, font=font(40), fill=(200, 30, 40, 150))
    seal = seal.rotate(draw.uniform(-25, 25), expand=True, resample=Image.Resampling.BILINEAR)
    place = (draw.randint(100, image.width - 400), draw.randint(image.height // 4, image.height // 2))
    if stamp:
        page.paste(seal, place, seal)
    skew = draw.uniform(0.4, 1.0) * draw.choice((-1, 1)) * SKEW * noise
    page = page.rotate(skew, resample=Image.Resampling.BICUBIC, fillcolor=(255, 255, 255))
    grains = np.random.default_rng(seed).normal(0, SPECKLE * noise, (image.height, image.width, 1))
    spoilt = np.asarray(page, dtype=np.float32) + grains
    return Image.fromarray(spoilt.clip(0, 255).astype(np.uint8))
