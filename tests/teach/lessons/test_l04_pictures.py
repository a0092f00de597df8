"""The pictures of lesson 04 say in words what they show."""

import base64

import pytest

from hanlp_tutor.teach.lessons.l04 import pictures

PICTURES = {
    "confidence": (lambda: pictures.confidence([0.9, 0.7, 0.6], [True, True, False]), ["2 right", "0.80", "1 wrong"]),
    "all right": (lambda: pictures.confidence([0.9], [True]), ["1 right", "0 wrong"]),
    "lengths": (lambda: pictures.lengths([3, 30, 600]), ["3 texts", "at most 30", "1 have more than 510", "600"]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture(name, recwarn):
    draw, words = PICTURES[name]
    picture = draw()
    for word in words:
        assert word in picture.alt
    data, metadata = picture._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == repr(picture) == metadata["alt"] == metadata["image/png"]["alt"]
    assert not [warning for warning in recwarn if "Glyph" in str(warning.message)]
