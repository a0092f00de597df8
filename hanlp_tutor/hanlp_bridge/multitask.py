"""What HanLP's ``MultiTaskLearning`` reads: the files of a multi-task folder, as in :mod:`.folders`.

``average_subwords`` is not a choice: without it HanLP's own prediction fails behind a segmenter ("too many indices",
``pick_tensor_for_each_token``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hanlp_tutor.core.multitask import MultiTaskModel
from hanlp_tutor.encoders import POSITIONS
from hanlp_tutor.errors import ModelError
from hanlp_tutor.hanlp_bridge import readme
from hanlp_tutor.hanlp_bridge.folders import BLANK_ENTITIES, HANLP_VERSION, HanLPFolder, vocabulary

_TASKS = "hanlp.components.mtl.tasks"
_TASK_CLASS = {
    "tok": f"{_TASKS}.tok.tag_tok.TaggingTokenization",
    "pos": f"{_TASKS}.pos.TransformerTagging",
    "ner": f"{_TASKS}.ner.tag_ner.TaggingNamedEntityRecognition",
}
_ENCODER = {
    "classpath": "hanlp.layers.embeddings.contextual_word_embedding.ContextualWordEmbedding",
    "field": "token",
    "transformer": "",
    "average_subwords": True,
    "max_sequence_length": POSITIONS,  # None, HanLP's default, is a TypeError in its tokenizer
    "truncate_long_sequences": False,
    "scalar_mix": None,
    "word_dropout": None,
    "cls_is_bos": False,
    "sep_is_eos": False,
    "ret_token_span": True,
    "ret_subtokens": False,
    "ret_subtokens_group": False,
    "ret_prefix_mask": False,
    "ret_raw_hidden_states": False,
    "transformer_args": None,
    "trainable": True,
}
# It changes nothing, and lets HanLP keep the text as it was: else a word is its pieces joined, which loses spaces and
# writes a character twice that became two pieces (… is ... to the tokenizer).
KEEPS_TEXT = {"classpath": "hanlp.common.transform.NormalizeToken", "mapper": {}, "src": "token", "dst": None}


class MultiTaskFolder(HanLPFolder):
    """``MultiTaskLearning``."""

    classpath = "hanlp.components.mtl.multi_task_learning.MultiTaskLearning"
    encoder_prefix = "encoder.transformer."

    def check(self, model: MultiTaskModel) -> None:
        """As the base class; and HanLP would read a raw text's characters as words where there is no segmenter."""
        super().check(model)
        if "tok" not in model.tasks:
            raise ModelError(
                f"A model of {', '.join(model.tasks)} has no segmenter: HanLP needs one for raw text. "
                "Train it with tok too."
            )

    def config(self, model: MultiTaskModel, transformer: Path) -> dict[str, Any]:
        return {
            "classpath": self.classpath,
            "hanlp_version": HANLP_VERSION,
            "encoder": {**_ENCODER, "transformer": str(transformer)},
            "transform": KEEPS_TEXT,
            "task_names": list(model.tasks),
            **{task: _task(task, model.crf) for task in model.tasks},
        }

    def vocabs(self, model: MultiTaskModel) -> dict[str, Any]:
        return {
            f"{task}_vocabs.json": {"tag": vocabulary(tags, unknown="O" if task == "ner" else None)}
            for task, tags in model.tags.items()
        }

    def readme(self, model: MultiTaskModel) -> str:
        return readme.of_tasks(model.labels)

    def holder(self, config: dict[str, Any]) -> dict[str, Any]:
        return config["encoder"]


def _task(task: str, crf: bool) -> dict[str, Any]:
    """The configuration of one decoder."""
    first = task == "tok"
    shared = {
        "classpath": _TASK_CLASS[task],
        "trn": None,
        "dev": None,
        "tst": None,
        # One text at a time: HanLP puts the windows of a batch together as those of its longest text and mislays the
        # last characters of every other text over 382.
        "sampler_builder": {
            "classpath": "hanlp.common.dataset.SortingSamplerBuilder",
            "batch_size": 1,
            "batch_max_tokens": None,
            "use_effective_tokens": False,
        },
        "dependencies": None if first else "tok",
        "scalar_mix": None,
        "use_raw_hidden_states": False,
        "lr": 1e-3,
        "separate_optimizer": False,
        "cls_is_bos": first,
        "sep_is_eos": first,
        "max_seq_len": None,
        "sent_delimiter": None,
        "char_level": False,
        "hard_constraint": False,
        "crf": crf,
        "token_key": "token",
    }
    own = {
        "tok": {"delimiter": None, "transform": None, "tagging_scheme": "BMES"},
        "pos": {},
        "ner": {
            "tagging_scheme": "BIO",
            "delimiter_in_entity": "",
            "merge_types": None,
            "secondary_encoder": None,
            "dict_blacklist": BLANK_ENTITIES,
        },
    }
    return shared | own[task]
