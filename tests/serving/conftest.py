"""Models for the service: small, random, so that they say something about everything."""

import pytest


def _model(task, encoder, examples, **options):
    import torch

    from hanlp_tutor import TrainConfig, build_model
    from hanlp_tutor.core.task import label_set

    model = build_model(task, encoder, label_set(task, examples), TrainConfig(**options))
    torch.manual_seed(0)
    for parameter in model.head.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return model.eval()


@pytest.fixture(scope="session")
def tagger(small_encoder):
    from hanlp_tutor import load_corpus

    return _model("ner", small_encoder, load_corpus("peoples_daily").test[:500], crf=True)


@pytest.fixture(scope="session")
def classifier(small_encoder):
    from hanlp_tutor import load_corpus

    return _model("classify", small_encoder, load_corpus("reviews").test[:500])


@pytest.fixture(scope="session")
def relations(small_encoder):
    from hanlp_tutor import load_corpus

    return _model("relation", small_encoder, load_corpus("clinic", task="relation", size=100).train)


@pytest.fixture(scope="session")
def tagger_folder(tagger, tmp_path_factory):
    from hanlp_tutor import save_model

    return save_model(tagger, tmp_path_factory.mktemp("served") / "model")


@pytest.fixture(scope="session")
def tagger_onnx(tagger, tmp_path_factory):
    pytest.importorskip("onnxruntime", reason="the extra `serve` is not installed")
    from hanlp_tutor.serving.onnx_export import export_onnx

    return export_onnx(tagger, tmp_path_factory.mktemp("onnx") / "model")
