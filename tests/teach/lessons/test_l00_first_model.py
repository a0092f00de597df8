"""Names found by a model, counted."""

from hanlp_tutor.data import Span, TaggedText
from hanlp_tutor.teach.lessons.l00.first_model import Found, names_found


class Predictor:
    """Finds the first two characters of any text, and calls them a person."""

    def predict_many(self, texts):
        return [{"entities": [{"start": 0, "end": 2, "label": "PER", "text": text[:2]}]} for text in texts]


def test_borders_and_type_have_to_agree():
    texts = ["王芳在北京", "上海下雨", "他来了"]
    spans = [[Span(0, 2, "PER"), Span(3, 5, "LOC")], [Span(0, 2, "LOC")], []]
    examples = [TaggedText.from_spans(text, marked) for text, marked in zip(texts, spans, strict=True)]
    found = names_found(Predictor(), examples)
    assert found == Found(1, 3) and repr(found) == "1 of 3 names" and found.share == 1 / 3
    assert names_found(Predictor(), examples[2:]).share == 0
