"""The picture of a head, where heads look, and hidden characters."""

import xml.etree.ElementTree as ElementTree

import pytest
import torch

from hanlp_tutor.encoders.embedded import load_masked_lm
from hanlp_tutor.encoders.mini import mini_tokenizer
from hanlp_tutor.teach.lessons.l01b.heads import where_it_looks
from hanlp_tutor.teach.lessons.l01b.hidden import Hidden, frequent, hide_one, hits
from hanlp_tutor.teach.lessons.l01b.pictures import AttentionPicture


def test_picture_is_svg_with_its_characters_and_says_what_it_shows():
    weights = torch.tensor([[0.0, 1.0, 0.0], [0.25, 0.7, 0.05], [0.0, 0.0, 1.0]])
    picture = AttentionPicture(weights, ["[CLS]", "好", "<"], "layer 1 & head 2")
    data, metadata = picture._repr_mimebundle_()
    root = ElementTree.fromstring(data["image/svg+xml"])
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "layer 1 & head 2" and texts.count("好") == texts.count("<") == 2
    assert [text for text in texts if text.startswith(("0.", "1."))] == ["1.00", "0.25", "0.70", "1.00"]
    cells = [rect.get("fill") for rect in root.iter("{http://www.w3.org/2000/svg}rect")][1:]
    assert len(cells) == 9 and cells[1] == "#08306b" and cells[0] == "#f7fbff"
    assert "[CLS] at 好 1.00, 好 at 好 0.70, < at < 1.00" in repr(picture)
    assert data["text/plain"] == metadata["alt"] == metadata["image/svg+xml"]["alt"] == picture.alt


def test_picture_wants_a_square_of_its_tokens():
    with pytest.raises(ValueError, match="2 tokens"):
        AttentionPicture(torch.ones(3, 3), ["a", "b"], "")


def test_where_a_head_looks():
    size = 6
    left = torch.diag(torch.ones(size - 1), -1)
    first = torch.zeros(size, size)
    first[:, 0] = 1.0
    half = (torch.eye(size) + torch.diag(torch.ones(size - 1), 1)) / 2
    far = torch.zeros(size, size)
    far[:, 5] = 1.0
    rows = where_it_looks([torch.stack([left, first, half, far])[None], torch.zeros(1, 4, 3, 3)])
    assert [(row["layer"], row["head"]) for row in rows] == [(1, 1), (1, 2), (1, 3), (1, 4)]
    assert rows[0]["left neighbour"] == 1 and rows[1]["[CLS]"] == 1
    assert rows[2]["itself"] == rows[2]["right neighbour"] == 0.5 and rows[2]["elsewhere"] == 0
    assert rows[3]["elsewhere"] == pytest.approx(2 / 3) and rows[3]["right neighbour"] == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="no sentence"):
        where_it_looks([torch.zeros(1, 1, 3, 3)])


def test_one_chinese_character_is_hidden_in_each_text_of_fitting_length():
    tokenizer = mini_tokenizer()
    texts = ["短", "abc123 xyz 4567", "今天天气很好，我们去公园。", "服务员的态度很好，还会再来。", "房间" * 40]
    hidden = hide_one(texts, tokenizer, 5)
    assert len(hidden) == 2 and hide_one(texts, tokenizer, 1) == hidden[:1]
    for each, text in zip(hidden, texts[2:], strict=False):
        before = tokenizer(text)["input_ids"]
        assert each.ids[each.place] == tokenizer.mask_token_id and before[each.place] == each.gold
        assert [i for i in range(len(before)) if before[i] != each.ids[i]] == [each.place]
        assert "一" <= tokenizer.convert_ids_to_tokens(each.gold) <= "鿿"


def test_hits_count_first_and_among_the_best():
    tokenizer = mini_tokenizer()
    ids = tokenizer("房间很[MASK]净，服务很好。")["input_ids"]
    place = ids.index(tokenizer.mask_token_id)
    right, second, never = (tokenizer.convert_tokens_to_ids(c) for c in "干洁龙")
    hidden = [Hidden(ids, place, gold) for gold in (right, second, never, never)]
    assert hits(load_masked_lm("mini-bert"), hidden) == (0.25, 0.5)
    assert frequent(hidden, ["干干洁", "好"], tokenizer) == (0.25, 0.5)
    assert frequent(hidden, ["洁洁干"], tokenizer, best=1) == (0.25, 0.25)
