"""What several test files share."""

import json
import os

import pytest

# Before torch and the hub's client are imported: no test may wait for a network, and runs print no bars.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HANLP_TUTOR_PROGRESS", "none")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory) -> str:
    """A pre-trained encoder's folder as the hub has them: vocab.txt for BertTokenizer, weights, 512 positions."""
    import torch
    from transformers import BertConfig, BertForMaskedLM

    from hanlp_tutor.encoders.mini import vocabulary

    folder = tmp_path_factory.mktemp("tiny-bert")
    tokens = [*vocabulary()[:3000], "play", "##ing", "##s"]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    card = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(card), encoding="utf-8")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokens),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=512,
    )
    BertForMaskedLM(config).save_pretrained(folder)
    return str(folder)
