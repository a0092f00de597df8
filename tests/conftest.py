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


@pytest.fixture(scope="session")
def small_encoder(tmp_path_factory) -> str:
    """The name of an encoder like ``random:mini-bert``, small enough to be trained in ten seconds."""
    from hanlp_tutor.encoders.folder import write_transformer
    from hanlp_tutor.encoders.mini import mini_config, mini_tokenizer

    folder = tmp_path_factory.mktemp("small-bert")
    shape = mini_config()
    shape.update({"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128})
    write_transformer(shape, mini_tokenizer(), folder)
    return f"random:{folder}"


def _trained(task: str, encoder: str, examples: list, out, epochs: int, **options):
    from hanlp_tutor import TrainConfig, build_model, fine_tune
    from hanlp_tutor.core.task import label_set

    config = TrainConfig(epochs=epochs, batch_size=16, lr=3e-3, head_lr=3e-3, dropout=0.0, **options)
    model = build_model(task, encoder, label_set(task, examples), config)
    fine_tune(model, examples, [], config, out, progress="none")
    return model.eval()


def _short_news(count: int) -> list:
    from hanlp_tutor import load_corpus

    return [e for e in load_corpus("peoples_daily").train if len(e.text) <= 40 and e.spans][:count]


@pytest.fixture(scope="session")
def ner_model(small_encoder, tmp_path_factory):
    """Finds thousands of spans in real sentences, many of them right. Leave it as it is."""
    return _trained("ner", small_encoder, _short_news(2000), tmp_path_factory.mktemp("ner"), epochs=4)


@pytest.fixture(scope="session")
def crf_model(small_encoder, tmp_path_factory):
    """The same with a CRF. Leave it as it is."""
    return _trained("ner", small_encoder, _short_news(1000), tmp_path_factory.mktemp("crf"), epochs=4, crf=True)


@pytest.fixture(scope="session")
def review_model(small_encoder, tmp_path_factory):
    """Tells good reviews from bad ones, mostly. Leave it as it is."""
    from hanlp_tutor import load_corpus

    reviews = [e for e in load_corpus("reviews").train if len(e.text) <= 60][:2000]
    return _trained("classify", small_encoder, reviews, tmp_path_factory.mktemp("reviews"), epochs=3)


@pytest.fixture(scope="session")
def toy_model(small_encoder, tmp_path_factory):
    """Finds the names of :mod:`toy` wherever they stand. Leave it as it is."""
    import toy

    long = toy.tagged(80, seed=1, shortest=400, longest=510)  # or the later positions would stay random
    return _trained("ner", small_encoder, toy.tagged(400) + long, tmp_path_factory.mktemp("toy"), epochs=6)


@pytest.fixture(scope="session")
def multitask_model(small_encoder, tmp_path_factory):
    """Segments, tags and finds names in real sentences, somewhat. Leave it as it is."""
    from hanlp_tutor.corpora.peoples_daily import word_tasks

    sentences = word_tasks(_short_news(500))
    return _trained("multitask", small_encoder, sentences, tmp_path_factory.mktemp("tasks"), epochs=4)
