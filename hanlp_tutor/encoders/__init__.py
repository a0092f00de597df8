"""Names to encoders (编码器), the θ of the article: embedded small ones, Hugging Face names, local folders.

========================================  =====================================================================
name                                      what you get
========================================  =====================================================================
``mini-bert``, ``mini-roberta-wwm``,      the kit's own small encoders, pre-trained and embedded; need no download
``mini-macbert``, ``mini-roberta-wwm-ext``
``bert-base-chinese``, ``hfl/...``        a pre-trained encoder from the hub, its cache, or ``HF_ENDPOINT``
``path/to/folder``                        a Hugging Face folder on disk
``random:NAME``                           the same shape and tokenizer as NAME, with fresh weights
========================================  =====================================================================
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from huggingface_hub.constants import HUGGINGFACE_CO_URL_HOME
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from hanlp_tutor.damage import other_than_damage
from hanlp_tutor.encoders.embedded import load_masked_lm, read_card
from hanlp_tutor.encoders.mini import EMBEDDED, mini_config, mini_tokenizer
from hanlp_tutor.errors import EncoderError, first_line, nearest

RANDOM = "random:"
POSITIONS = 512  # HanLP's window is fixed at 512 tokens, so an encoder has to have that many positions


@dataclass(frozen=True)
class Encoder:
    """An encoder and its tokenizer; ``pretrained`` is False for fresh weights."""

    name: str
    module: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    pretrained: bool


def suggested_lr(encoder_name: str) -> float:
    """The learning rate of θ that suits an encoder when the user names none.

    2e-5 is the article's learning rate for a pre-trained encoder of 110 million parameters. The embedded ones are a
    twentieth of that and want more. Where sentences are read many times their dev scores differ little from 1e-4 to
    1e-3 (grid rows of ``results/encoders.json``); in two passes over the newspaper 1e-3 is ahead
    (``results/finetune_ner.json``). Random weights have nothing to preserve and everything to learn: 1e-3.
    """
    if encoder_name.startswith(RANDOM):
        return 1e-3
    return 3e-4 if encoder_name in EMBEDDED else 2e-5


def weights_of(name: str) -> dict[str, str]:
    """What a result that used this encoder depends on: the hash of embedded weights, nothing for others."""
    return {"weights": read_card(name)["sha256"]} if name in EMBEDDED else {}


def load_encoder(name: str, *, seed: int = 1) -> Encoder:
    """Load an encoder by name or folder; fresh weights are drawn from ``seed``.

    Raises:
        EncoderError: unknown name, not to be had offline, an unfit tokenizer or too few positions. The message names
            what is embedded.
    """
    fresh = name.startswith(RANDOM)
    base = name.removeprefix(RANDOM)
    torch.manual_seed(seed)
    if base in EMBEDDED:
        module = AutoModel.from_config(mini_config())
        if not fresh:
            # pre-training has no pooler: it stays as drawn, as with the hub's masked language models
            module.load_state_dict(load_masked_lm(base).bert.state_dict(), strict=False)
        return Encoder(name, module, mini_tokenizer(), pretrained=not fresh)
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # heads that fine-tuning throws away are reported as "unexpected keys"
    local = {"local_files_only": Path(base).exists() or not _hub_reachable(), "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(base, **local)
        if fresh:
            module = AutoModel.from_config(AutoConfig.from_pretrained(base, **local)).float()  # may be stored as half
        else:
            module, report = AutoModel.from_pretrained(base, dtype=torch.float32, output_loading_info=True, **local)
            _check_whole(base, report["missing_keys"])
    except EncoderError:
        raise
    except Exception as error:  # what a damaged or foreign file makes the libraries raise is anything
        raise EncoderError(other_than_damage(base, error) or _unavailable(base, error)) from error
    finally:
        transformers_logging.set_verbosity(verbosity)
    check_fit(base, module, tokenizer)
    return Encoder(name, module, tokenizer, pretrained=not fresh)


def _hub_reachable() -> bool:
    """Ask once, for three seconds: the hub's client retries a dead line for most of a minute before it gives up."""
    if os.environ.get("HF_HUB_OFFLINE", "0").upper() in ("1", "TRUE", "YES", "ON"):
        return False
    if getproxies().keys() - {"no"}:  # only the proxy knows; NO_PROXY alone names none
        return True
    endpoint = urlsplit(os.environ.get("HF_ENDPOINT") or HUGGINGFACE_CO_URL_HOME)
    try:
        socket.create_connection((endpoint.hostname, endpoint.port or 443), timeout=3).close()
    except OSError:
        return False
    return True


def _check_whole(name: str, missing: Collection[str]) -> None:
    """Transformers draws what a file lacks at random; only the pooler, which masked language models lack, may be so."""
    lost = sorted(key for key in missing if not key.startswith("pooler."))
    if lost:
        raise EncoderError(
            f"{name}: the weights do not belong to its config.json; {len(lost)} are missing, among them {lost[0]}. "
            f"Mend the folder, or ask for fresh weights with {RANDOM + name!r}."
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


def _unavailable(name: str, error: Exception) -> str:
    embedded = ", ".join(EMBEDDED)
    guess = nearest(name, EMBEDDED)
    if Path(name).exists():
        return (
            f"{name}: no encoder in this folder ({first_line(error)}). "
            "It needs config.json, the tokenizer and the weights."
        )
    return (
        f"The encoder {name!r} is neither embedded, nor a folder, nor to be had from the hub now"
        f" ({first_line(error)})."
        + (f" Did you mean {guess!r}?" if guess else "")
        + f" Offline, use an embedded one ({embedded}), or download it elsewhere and give its folder;"
        " behind a slow line set HF_ENDPOINT to a mirror."
    )
