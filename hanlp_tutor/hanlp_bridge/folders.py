"""What HanLP's components read: the files of a folder by task, for :func:`hanlp_tutor.export_hanlp`.

Every key that HanLP 2.1.5 reads to load, predict and evaluate is present; a missing one is a KeyError there.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hanlp_tutor.core.model import Model
from hanlp_tutor.data.edges import is_blank
from hanlp_tutor.encoders import POSITIONS
from hanlp_tutor.errors import ModelError
from hanlp_tutor.hanlp_bridge import readme
from hanlp_tutor.hanlp_bridge.positions import can_be_cut, positions_of

HANLP_VERSION = "2.1.5"
# Entities that HanLP is to leave out: what is blank alone, as far as a list can say it (each unseen character, and runs
# of the usual ones). Blanks at an entity's edge HanLP cannot cut, the README in the folder does.
_OFTEN = " \t\xa0\u200b\u3000\ufeff"
BLANK_ENTITIES = [c for c in map(chr, range(0x10000)) if is_blank(c)] + [c * n for c in _OFTEN for n in range(2, 9)]


class HanLPFolder:
    """The folder of one task.

    Attributes:
        classpath: HanLP's class for it.
        encoder_prefix: of the encoder's weights in ``model.pt``; those of the heads bear HanLP's names already.
    """

    classpath: str
    encoder_prefix: str

    def check(self, model: Model) -> None:
        """Refuse what HanLP would misread.

        Raises:
            ModelError: with the reason.
        """
        positions = positions_of(model.encoder)
        if positions != POSITIONS and not can_be_cut(model.encoder):
            raise ModelError(
                f"{model.encoder_name} has {positions} positions; HanLP reads texts over {POSITIONS - 2} "
                f"characters wrongly unless they are {POSITIONS}, and those of this kind of encoder "
                f"({type(model.encoder).__name__}) cannot be cut. Take one with {POSITIONS}."
            )
        check_window(model)

    def why_not(self, model: Model) -> str | None:
        """The reason for which a model, trained or not, cannot be exported; None where it can."""
        try:
            self.check(model)
        except ModelError as error:
            return str(error)
        return None

    def config(self, model: Model, transformer: Path) -> dict[str, Any]:
        """The content of ``config.json``; ``transformer`` is the absolute path of the encoder's files."""
        raise NotImplementedError

    def vocabs(self, model: Model) -> dict[str, Any]:
        """The vocabularies, by the file's name."""
        raise NotImplementedError

    def readme(self, model: Model) -> str:
        """What whoever opens the folder should know."""
        raise NotImplementedError

    def holder(self, config: dict[str, Any]) -> dict[str, Any]:
        """The part of ``config.json`` that holds the path ``transformer``."""
        return config

    def _shared(self, model: Model, transformer: Path) -> dict[str, Any]:
        return {
            "classpath": self.classpath,
            "hanlp_version": HANLP_VERSION,
            "transformer": str(transformer),
            "encoder_name": model.encoder_name,  # for load_hanlp; HanLP does not read it
            "average_subwords": False,
            "scalar_mix": None,
            "word_dropout": None,
            "hidden_dropout": None,
            "ret_raw_hidden_states": False,
            "gradient_accumulation": 1,
            "batch_max_tokens": None,
        }


class EntityFolder(HanLPFolder):
    """``TransformerNamedEntityRecognizer``."""

    classpath = "hanlp.components.ner.transformer_ner.TransformerNamedEntityRecognizer"
    encoder_prefix = "encoder.transformer."

    def config(self, model: Model, transformer: Path) -> dict[str, Any]:
        return self._shared(model, transformer) | {
            "crf": model.crf,
            "token_key": "token",
            "tagging_scheme": getattr(model.head, "scheme", "BIO"),
            "delimiter_in_entity": "",
            "merge_types": None,
            "dict_blacklist": BLANK_ENTITIES,
            "tagset": None,
            "secondary_encoder": None,
            "extra_embeddings": None,
            "transform": None,
            "max_seq_len": None,
            "sent_delimiter": None,
            "char_level": False,
            "hard_constraint": False,
            "reduction": "sum",
            "sampler_builder": None,
            # 1: restore_from_sliding_window puts the windows of a batch together as those of its longest text, and
            # mislays the last characters of every other text over 382
            "batch_size": 1,
        }

    def vocabs(self, model: Model) -> dict[str, Any]:
        tags = getattr(model.head, "native", model.labels)
        return {"vocabs.json": {"tag": vocabulary(tags, unknown="O")}}

    def readme(self, model: Model) -> str:
        return readme.of_entities(model.labels)


class ClassifierFolder(HanLPFolder):
    """``TransformerClassifier``."""

    classpath = "hanlp.components.classifiers.transformer_classifier.TransformerClassifier"
    encoder_prefix = "transformer."

    def check(self, model: Model) -> None:
        check_window(model)
        third = list(inspect.signature(type(model.encoder).forward).parameters)[3]
        if third != "token_type_ids":
            raise ModelError(
                f"{model.encoder_name} takes {third!r} where HanLP's classifier passes token types. "
                "Take an encoder of the BERT family."
            )

    def config(self, model: Model, transformer: Path) -> dict[str, Any]:
        return self._shared(model, transformer) | {
            "text_a_key": "text",
            "text_b_key": None,
            "label_key": "label",
            "max_seq_length": POSITIONS,
            "truncate_long_sequences": False,  # texts over 510 tokens are windowed, not cut
            # one long text makes HanLP compute as many windows for each text of its batch: 32 of them would take
            # gigabytes
            "batch_size": 8,
        }

    def vocabs(self, model: Model) -> dict[str, Any]:
        return {"vocabs.json": {"label": vocabulary(model.labels, unknown=None)}}

    def readme(self, model: Model) -> str:
        return readme.of_classes(model.labels)


class RelationFolder(ClassifierFolder):
    """``TransformerClassifier`` too, for HanLP has no relation extraction: it is given marked texts."""

    def config(self, model: Model, transformer: Path) -> dict[str, Any]:
        return super().config(model, transformer) | {"relation": dict(model.extra)}  # for load_hanlp

    def readme(self, model: Model) -> str:
        return readme.of_relations(model.labels, **model.extra)


def check_window(model: Model) -> None:
    """Refuse an encoder that reads less than HanLP gives it; a classifier of HanLP gives it as much.

    Raises:
        ModelError: with the numbers.
    """
    if model.window < POSITIONS:
        raise ModelError(
            f"{model.encoder_name} reads {model.window} tokens at once (its positions do not begin at 0); HanLP "
            f"gives it {POSITIONS} and fails on long texts. Take an encoder that reads {POSITIONS}."
        )


def vocabulary(tokens: Sequence[str], *, unknown: str | None) -> dict[str, Any]:
    """A vocabulary as HanLP stores it."""
    return {"idx_to_token": list(tokens), "pad_token": None, "unk_token": unknown, "mutable": False}
