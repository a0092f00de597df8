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
from hanlp_tutor.defaults import encoder_lr
from hanlp_tutor.encoders.acceptance import POSITIONS, check_characters, check_fit, longest_window
from hanlp_tutor.encoders.embedded import load_masked_lm, read_card
from hanlp_tutor.encoders.layers import size
from hanlp_tutor.encoders.mini import EMBEDDED, mini_config, mini_tokenizer
from hanlp_tutor.errors import EncoderError, first_line, nearest

__all__ = ["POSITIONS", "RANDOM", "Encoder", "check_fit", "load_encoder", "suggested_lr", "weights_of"]
RANDOM = "random:"
BASE = 110_000_000  # parameters of the article's encoder


@dataclass(frozen=True)
class Encoder:
    """An encoder and its tokenizer; ``pretrained`` is False for fresh weights.

    ``window`` is how many tokens it reads at once, [CLS] and [SEP] included: 512, for a few encoders a little less.
    """

    name: str
    module: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    pretrained: bool
    window: int = POSITIONS


def suggested_lr(encoder_name: str) -> float:
    """The learning rate of θ that suits an encoder, before it is loaded (:func:`hanlp_tutor.defaults.encoder_lr`).

    Its size comes from its card, or from the configuration in its folder or in the hub's cache. An encoder that is not
    on this machine counts as one of the article's size; a run asks the encoder itself.
    """
    base = encoder_name.removeprefix(RANDOM)
    return encoder_lr(_parameters(base), pretrained=base == encoder_name).value


def _parameters(name: str) -> int:
    if name in EMBEDDED:
        return read_card(name)["parameters"]
    try:
        config = AutoConfig.from_pretrained(name, local_files_only=True, trust_remote_code=False)
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            return size(AutoModel.from_config(config))
    except Exception:  # what a damaged or foreign file makes the libraries raise is anything
        return BASE


def weights_of(name: str) -> dict[str, str]:
    """What a result that used this encoder depends on: the hash of embedded weights, nothing for others."""
    return {"weights": read_card(name)["sha256"]} if name in EMBEDDED else {}


def load_encoder(name: str, *, seed: int = 1, by_character: bool = True) -> Encoder:
    """Load an encoder by name or folder, without dropout until ``train()``; fresh weights are drawn from ``seed``.

    Args:
        by_character: it is to read character by character, as taggers do; False lets through what can read whole texts.

    Raises:
        EncoderError: unknown name, not to be had offline, an unfit tokenizer or too few positions. The message names
            what is embedded, or which encoders work.
    """
    fresh = name.startswith(RANDOM)
    base = name.removeprefix(RANDOM)
    torch.manual_seed(seed)
    if base in EMBEDDED:
        module = AutoModel.from_config(mini_config())
        if not fresh:
            # pre-training has no pooler: it stays as drawn, as with the hub's masked language models
            module.load_state_dict(load_masked_lm(base).bert.state_dict(), strict=False)
        return Encoder(name, module.eval(), mini_tokenizer(), pretrained=not fresh)
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
    check_characters(base, tokenizer, by_character=by_character)
    return Encoder(name, module.eval(), tokenizer, not fresh, longest_window(base, module, tokenizer))


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
