"""Tiny encoders of many architectures with random weights, and tokenizers of other kinds than BERT's."""

from itertools import pairwise
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

from hanlp_tutor.encoders.acceptance import COMMON
from hanlp_tutor.encoders.mini import mini_tokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_BERT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
}
# What their authors' own configurations say otherwise: the names of the dropouts, and how attention drops.
SHAPES = {
    "bert": {"attention_probs_dropout_prob": 0.17},
    "roberta": {"attention_probs_dropout_prob": 0.17, "max_position_embeddings": 514, "pad_token_id": 1},
    "electra": {"attention_probs_dropout_prob": 0.17, "embedding_size": 8},
    "ernie": {"attention_probs_dropout_prob": 0.17},
    "albert": {"attention_probs_dropout_prob": 0.17, "embedding_size": 8},
    "distilbert": {"attention_dropout": 0.17, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32},
    "mpnet": {"attention_probs_dropout_prob": 0.17, "max_position_embeddings": 514, "pad_token_id": 1},
    "deberta": {
        "attention_probs_dropout_prob": 0.17,
        "relative_attention": True,
        "pos_att_type": ["c2p", "p2c"],
        "type_vocab_size": 0,
    },
    "deberta-v2": {
        "attention_probs_dropout_prob": 0.17,
        "relative_attention": True,
        "pos_att_type": ["c2p", "p2c"],
        "norm_rel_ebd": "layer_norm",
        "position_buckets": 16,
        "share_att_key": False,
        "conv_kernel_size": 3,
        "type_vocab_size": 0,
    },
    "modernbert": {
        "attention_dropout": 0.17,
        "embedding_dropout": 0.1,
        "mlp_dropout": 0.1,
        "cls_token_id": 2,
        "sep_token_id": 3,
        "bos_token_id": 2,
        "eos_token_id": 3,
    },
    "megatron-bert": {"attention_probs_dropout_prob": 0.17},
    "roberta-prelayernorm": {"max_position_embeddings": 514, "pad_token_id": 1},
    "roformer": {"attention_probs_dropout_prob": 0.17, "embedding_size": 16},
    "convbert": {"attention_probs_dropout_prob": 0.17, "embedding_size": 16},
    "rembert": {"attention_probs_dropout_prob": 0.17, "input_embedding_size": 8, "output_embedding_size": 8},
    "xlm-roberta": {"attention_probs_dropout_prob": 0.17, "max_position_embeddings": 514, "pad_token_id": 1},
    "nystromformer": {"attention_probs_dropout_prob": 0.17, "max_position_embeddings": 512, "num_landmarks": 8,
                      "segment_means_seq_len": 8},
}  # fmt: skip


def tiny(kind: str, vocabulary: int = 0, **changes) -> torch.nn.Module:
    """An encoder of this architecture with random weights, 16 numbers wide."""
    size = vocabulary or len(mini_tokenizer())
    torch.manual_seed(0)
    return AutoModel.from_config(AutoConfig.for_model(kind, **{**_BERT, "vocab_size": size, **SHAPES[kind], **changes}))


def write_encoder(folder: Path, module: torch.nn.Module, tokenizer: PreTrainedTokenizerFast | None = None) -> str:
    """A Hugging Face folder; without a tokenizer it gets that of the embedded encoders."""
    module.save_pretrained(folder)
    (tokenizer or mini_tokenizer()).save_pretrained(folder)
    return str(folder)


def _wrapped(core: Tokenizer) -> PreTrainedTokenizerFast:
    cls_id, sep_id = core.token_to_id("[CLS]"), core.token_to_id("[SEP]")
    core.post_processor = processors.BertProcessing(("[SEP]", sep_id), ("[CLS]", cls_id))
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    return PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=512, **names)


def unigram() -> PreTrainedTokenizerFast:
    """SentencePiece's way: pieces of any length, and ▁ where a word begins."""
    pieces = [(token, 0.0) for token in SPECIAL] + [("▁", -2.0)] + [(c, -8.0) for c in COMMON]
    pieces += [(a + b, -6.0) for a, b in pairwise(COMMON)]
    core = Tokenizer(models.Unigram(pieces, unk_id=1, byte_fallback=False))
    core.normalizer = normalizers.NFKC()
    core.pre_tokenizer, core.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    return _wrapped(core)


def byte_level() -> PreTrainedTokenizerFast:
    """GPT-2's and RoBERTa's way: a character is its three bytes of UTF-8, until pairs of them were merged."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer, core.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(special_tokens=list(SPECIAL), initial_alphabet=alphabet, vocab_size=300,
                                  show_progress=False)  # fmt: skip
    core.train_from_iterator(["the quick brown fox", "pack my box"], trainer)
    return _wrapped(core)


def english() -> PreTrainedTokenizerFast:
    """WordPiece without Chinese characters: they are all [UNK]."""
    words = [f"{a}{b}{c}" for a in "abcdefgh" for b in "aeiou" for c in "lmnrst"]
    core = Tokenizer(models.WordPiece({w: i for i, w in enumerate([*SPECIAL, *words, *"丁丂七"])}, unk_token="[UNK]"))
    core.normalizer, core.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    return _wrapped(core)


def in_two_pieces() -> PreTrainedTokenizerFast:
    """WordPiece that splits each character into two pieces, of which the first is its own."""
    core = Tokenizer(models.WordPiece({w: i for i, w in enumerate([*SPECIAL, *COMMON, "##x"])}, unk_token="[UNK]"))
    core.normalizer = normalizers.Sequence([normalizers.Replace(c, c + "x") for c in COMMON])
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    return _wrapped(core)
