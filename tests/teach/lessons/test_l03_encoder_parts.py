"""Notebook 03's masks and counts."""

import pytest
from transformers import BertConfig, BertModel

from hanlp_tutor.teach.article_model import article_model
from hanlp_tutor.teach.lessons.l03 import encoder_parts

WORDS = ["江泽民", "主席", "在", "北京", "发表", "新年", "讲话", "，", "祝", "全国", "人民", "幸福"]
SIMILAR = {"北京": ["上海"], "讲话": ["演说"], "主席": ["总理"]}


@pytest.mark.parametrize("recipe", encoder_parts.RECIPES)
def test_a_drawing_keeps_length_and_budget_and_macbert_has_no_mask(recipe):
    for seed in range(50):
        drawn = encoder_parts.masked_once(WORDS, recipe, SIMILAR, seed)
        assert [before for before, _, _ in drawn] == list("".join(WORDS))
        chosen = [fate for _, _, fate in drawn if fate != "same"]
        assert 1 <= len(chosen) <= round(0.15 * len(drawn))
        assert recipe != "macbert" or "mask" not in chosen
        assert all(before == after for before, after, fate in drawn if fate in ("same", "kept"))


def test_table_has_a_row_per_recipe():
    table = encoder_parts.MaskTable(WORDS, SIMILAR, 1)
    assert table._repr_html_().count("<tr>") == 4
    assert len(repr(table).splitlines()) == 4 and "北京" in repr(table)


def test_only_bert_hides_a_word_in_part():
    halves = {recipe: encoder_parts.partly_hidden(WORDS, recipe, SIMILAR, 200) for recipe in encoder_parts.RECIPES}
    assert halves["roberta-wwm"] == halves["macbert"] == 0
    # two-character words, 15 % of the characters: of the touched ones about 0.85 / (1 - 0.15 / 2) are hidden in part
    assert 0.8 < halves["bert"] <= 1


def test_parts_add_up_and_the_article_models_have_their_known_size():
    small = BertModel(
        BertConfig(vocab_size=50, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16)
    )
    table = encoder_parts.parameter_table(small)
    assert table["parameters"].sum() == sum(p.numel() for p in small.parameters())
    assert table["parameters"]["other"] == sum(p.numel() for p in small.pooler.parameters())
    # as the hub counts them: bert-base-chinese, and the English bert-base-uncased
    assert sum(p.numel() for p in article_model().parameters()) == 102_267_648
    assert sum(p.numel() for p in article_model(30_522).parameters()) == 109_482_240
