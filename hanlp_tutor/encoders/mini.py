"""The embedded small encoders: BERT's architecture at a size that a class-room laptop trains.

Three layers, hidden size 256, four heads, 512 positions and a vocabulary of single characters. Full-width forms are
folded to ASCII by the tokenizer (NFKC), English words and numbers are read character by character.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, PreTrainedTokenizerFast

COMPARED = ("mini-bert", "mini-roberta-wwm", "mini-macbert")  # one text, one number of tokens, three recipes
EXTENDED = "mini-roberta-wwm-ext"  # mini-roberta-wwm gone on reading, also other text
EMBEDDED = (*COMPARED, EXTENDED)
DEFAULT_ENCODER = EXTENDED  # of the commands that train: it has read most
LESSON_ENCODER = "mini-bert"  # of lessons and experiments in which the encoder is not the question
BEST_TAGGER = EXTENDED  # by dev the best on entities with the sentences of `make run`, which fine-tunes it
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@lru_cache(maxsize=1)
def vocabulary() -> tuple[str, ...]:
    """The tokens in order of their ids: five special tokens, then single characters (``vocabulary.txt``)."""
    text = files("hanlp_tutor.encoders").joinpath("vocabulary.txt").read_text(encoding="utf-8")
    return (*SPECIAL, *text.split())


def mini_config() -> BertConfig:
    """The architecture of all ``mini-*`` encoders."""
    return BertConfig(
        vocab_size=len(vocabulary()),
        hidden_size=256,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=1024,
        max_position_embeddings=512,
        # attention dropout costs a sixth of the speed on a CPU and brings a model of this size nothing measurable
        attention_probs_dropout_prob=0.0,
        pad_token_id=0,
    )


def mini_tokenizer() -> PreTrainedTokenizerFast:
    """A fast tokenizer that gives one token per visible character, in any text.

    Built from the ``tokenizers`` library and wrapped generically: transformers 5 rebuilds a ``BertTokenizerFast`` from
    its vocabulary file and loses all but the special tokens.
    """
    core = Tokenizer(models.WordPiece({token: i for i, token in enumerate(vocabulary())}, unk_token="[UNK]"))
    core.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.BertNormalizer(lowercase=True)])
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.BertPreTokenizer(), pre_tokenizers.Split(Regex("."), "isolated")]
    )
    cls_id, sep_id = SPECIAL.index("[CLS]"), SPECIAL.index("[SEP]")
    core.post_processor = processors.BertProcessing(("[SEP]", sep_id), ("[CLS]", cls_id))
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        model_max_length=512,
    )
