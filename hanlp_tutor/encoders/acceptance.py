"""Whether an encoder can be used: what HanLP needs, characters that stay apart, a window that it can read.

Two of these are tried, not read off a configuration: which positions an encoder can read, and what its tokenizer makes
of Chinese characters, depends on code that no configuration tells of.
"""

from __future__ import annotations

from collections import Counter

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from hanlp_tutor.errors import EncoderError, first_line

POSITIONS = 512  # HanLP's window is fixed at 512 tokens, so an encoder has to have that many positions
SHORTEST_WINDOW = POSITIONS - 16  # RoBERTa numbers its positions from 2 on; nothing in use loses more than a few
SUCH_WORK = (
    "Take one whose tokenizer reads one token a Chinese character, as BERT's WordPiece does: bert-base-chinese, "
    "hfl/chinese-roberta-wwm-ext, hfl/chinese-macbert-base, hfl/chinese-electra-180g-base-discriminator, "
    "nghuyong/ernie-3.0-base-zh; offline an embedded one, such as mini-roberta-wwm-ext."
)
# The commonest characters of written Chinese.
COMMON = (
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然没日于起"
    "还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知民样现分将外但身些与高意进把法此实回二理美点月明其种"
    "声全工己话儿者向情部正名定女问力机给等几很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少关并内加化由却代"
    "军产入先山五太水万市眼体别处总才场师书比住员九笑性通目华报立马命张活难神数件安表原车白应路期叫死常提感金何更反合放做系计或司利"
    "受光王果亲界及今京务制解各任至清物台象记边共风战干接它许八特觉望直服毛林题建南度统色字请交爱让认算论百吃义科怎元社术结六功指思"
)


def check_fit(name: str, module: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Refuse an encoder that HanLP could not read, or a tokenizer of another one.

    Raises:
        EncoderError: with the numbers.
    """
    if tokenizer.cls_token_id is None or tokenizer.sep_token_id is None or tokenizer.pad_token_id != 0:
        raise EncoderError(f"{name}: HanLP needs a BERT-like tokenizer with [CLS], [SEP] and [PAD] as token 0.")
    positions = getattr(module.config, "max_position_embeddings", 0)
    if positions < POSITIONS:
        raise EncoderError(
            f"{name}: {positions} positions; HanLP reads windows of {POSITIONS} tokens. "
            f"Take an encoder with at least {POSITIONS}."
        )
    if len(tokenizer) > module.get_input_embeddings().num_embeddings or len(tokenizer) < 100:
        raise EncoderError(
            f"{name}: the tokenizer has {len(tokenizer)} tokens, the encoder "
            f"{module.get_input_embeddings().num_embeddings}: they do not belong together."
        )


def check_characters(name: str, tokenizer: PreTrainedTokenizerBase, *, by_character: bool) -> None:
    """Refuse a tokenizer that does not keep common characters apart: a model could not tell one from the other.

    SentencePiece (Unigram, Metaspace) splits a character that stands alone into its mark of a word's beginning and the
    character, byte-level BPE into bytes; one piece a character is what a tagger reads, and so they all become the same
    few.

    Args:
        by_character: each must be one token by itself, as taggers read them; for classifiers, which read whole texts,
            it may be several.

    Raises:
        EncoderError: with what is read as the same, and which encoders work.
    """
    rows = dict(zip(COMMON, map(tuple, tokenizer(list(COMMON), add_special_tokens=False)["input_ids"]), strict=True))
    known = {each: row for each, row in rows.items() if row and tokenizer.unk_token_id not in row}
    reads = {each: row[:1] if by_character else row for each, row in known.items()}
    times = Counter(reads.values())
    alike = [each for each, ids in reads.items() if times[ids] > 1]
    if alike:
        first = next(each for each in alike[1:] if reads[each] == reads[alike[0]])
        token = "".join(tokenizer.convert_ids_to_tokens(list(reads[first])))
        raise EncoderError(
            f"{name}: its tokenizer does not keep Chinese characters apart. {len(reads)} common ones become "
            f"{len(times)} different tokens; {alike[0]} and {first} are both read as {token!r}. {SUCH_WORK}"
        )
    split = [each for each in known if by_character and len(known[each]) > 1]
    if split:
        pieces = tokenizer.convert_ids_to_tokens(list(known[split[0]]))
        raise EncoderError(
            f"{name}: its tokenizer splits single characters, {split[0]} into {len(pieces)} ({' '.join(pieces)}), and "
            f"labels belong to characters. {SUCH_WORK}"
        )
    if by_character and tokenizer.unk_token_id is None:
        raise EncoderError(f"{name}: its tokenizer has no token for unknown characters ([UNK]). {SUCH_WORK}")
    wanted = min(len(COMMON) // 2, len(tokenizer) // 4)  # a toy vocabulary cannot hold them all
    if len(known) < wanted:
        raise EncoderError(
            f"{name}: its tokenizer knows {len(known)} of {len(COMMON)} common Chinese characters and reads the others "
            f"as {tokenizer.unk_token}. {SUCH_WORK}"
        )


@torch.no_grad()
def longest_window(name: str, module: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """How many tokens, [CLS] and [SEP] included, the encoder reads at once: 512, or a few less.

    RoBERTa numbers its positions from ``pad_token_id + 1`` on: with 512 position embeddings and padding 1 it fails
    beyond 510 tokens.

    Raises:
        EncoderError: it reads no such window.
    """
    vocabulary = len(tokenizer)
    ids = [i for i in range(vocabulary) if i not in tokenizer.all_special_ids and i != module.config.pad_token_id]
    was_training, failure = module.training, ""
    module.eval()  # dropout would draw random numbers
    try:
        for window in range(POSITIONS, SHORTEST_WINDOW - 1, -1):
            row = (ids * (window // len(ids) + 1))[:window]
            try:
                states = module(
                    input_ids=torch.tensor([row]), attention_mask=torch.ones(1, window, dtype=torch.long)
                ).last_hidden_state
            except (IndexError, RuntimeError, ValueError, TypeError, AttributeError, NotImplementedError) as error:
                failure = failure or first_line(error)
                continue
            if states.shape == (1, window, module.config.hidden_size):
                return window
            failure = failure or f"its states have the shape {tuple(states.shape)}"
    finally:
        module.train(was_training)
    raise EncoderError(f"{name}: one window of {POSITIONS} tokens cannot be read ({failure}). {SUCH_WORK}")
