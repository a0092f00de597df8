"""The mask that is passed to an encoder: the same states as with the library's own, and nothing read."""

import pytest
import torch
from host_reads import HostReads
from tiny_encoders import SHAPES, tiny

from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core.model_folder import build_model
from hanlp_tutor.encoders.masks import mask_for, takes_wide_mask, wide

WIDE = {"bert", "roberta", "electra", "ernie", "albert", "distilbert", "roberta-prelayernorm", "xlm-roberta"}


def rows(width, *lengths):
    torch.manual_seed(0)
    ids = torch.randint(5, 90, (len(lengths), width))
    mask = (torch.arange(width) < torch.tensor(lengths).unsqueeze(1)).long()
    return ids, mask


def states(encoder, ids, mask):
    with torch.no_grad():
        return encoder(input_ids=ids, attention_mask=mask).last_hidden_state


@pytest.mark.parametrize("kind", SHAPES)
def test_any_architecture_computes_what_it_did(kind):
    encoder = tiny(kind).eval()
    for lengths, width in (((300, 120, 3), 300), ((40, 40), 40)):
        ids, mask = rows(width, *lengths)
        found = states(encoder, ids, mask_for(encoder, mask, padded=min(lengths) < width))
        real = mask.bool()
        assert torch.equal(found[real], states(encoder, ids, mask)[real])


def test_the_usual_ones_read_nothing():
    for kind in WIDE:
        encoder = tiny(kind).eval()
        assert takes_wide_mask(encoder), kind
        ids, mask = rows(30, 30, 7)
        with HostReads() as reads:
            states(encoder, ids, mask_for(encoder, mask, padded=True))
            states(encoder, ids, mask_for(encoder, mask, padded=False))
        assert not reads.found, kind


def test_attention_to_near_tokens_and_eager_attention_keep_their_own_mask():
    _, mask = rows(30, 30, 7)
    near, eager = tiny("modernbert"), tiny("bert")
    assert takes_wide_mask(eager)
    eager.set_attn_implementation("eager")
    for encoder in (near, eager):
        assert not takes_wide_mask(encoder)
        assert mask_for(encoder, mask, padded=True) is mask is mask_for(encoder, mask, padded=False)


def test_trying_leaves_the_encoder_and_the_random_numbers_as_they_were():
    encoder = tiny("bert").train()
    before = torch.get_rng_state()
    assert takes_wide_mask(encoder) and encoder.training
    assert torch.equal(torch.get_rng_state(), before)


def test_a_wide_mask_takes_no_memory_of_its_own():
    _, mask = rows(30, 30, 7)
    assert wide(mask).shape == (2, 1, 30, 30) and wide(mask).untyped_storage().nbytes() == 2 * 30


@pytest.mark.parametrize(("texts", "padded"), [("张三来了 好", True), ("张三 李四", False), ("张三", False)])
def test_a_batch_knows_whether_it_is_padded(tiny_encoder, texts, padded):
    model = build_model("ner", tiny_encoder, ("O", "B-PER"), TrainConfig())
    batch = model.collate([model.encode(text) for text in texts.split()])
    assert batch.padded is padded is not bool(batch.attention_mask.all())
