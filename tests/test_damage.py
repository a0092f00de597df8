"""A file is called damaged only where it is: not for want of memory, of rights, of a device or of another version."""

import errno
import os
import pickle
import shutil

import pytest
import torch
from toy import tagged

from hanlp_tutor import (
    TrainConfig,
    build_model,
    export_hanlp,
    fine_tune,
    load_encoder,
    load_hanlp,
    load_model,
    save_model,
)
from hanlp_tutor.core.checkpoint import RunState, load_checkpoint, save_checkpoint
from hanlp_tutor.damage import load_archive, other_than_damage
from hanlp_tutor.errors import ConfigError, EncoderError, ModelError, TrainingError

LABELS = ("O", "B-PER", "I-PER")
CUDA = RuntimeError("Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False.")
REASONS = [
    (MemoryError(), "memory ran out"),
    (RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you"), "memory"),
    (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."), "memory ran out"),
    (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory ran out"),
    (CUDA, "device cannot be used"),
    (AssertionError("Torch not compiled with CUDA enabled"), "device cannot be used"),
    (RuntimeError("No CUDA GPUs are available"), "device cannot be used"),
    (PermissionError(errno.EACCES, "Permission denied"), "Give yourself the right"),
    (OSError(errno.EIO, "Input/output error"), "Input/output error"),
    (Exception("Error: Permission denied (os error 13)"), "Give yourself the right"),
    (pickle.UnpicklingError("Weights only load failed. Unsupported global: GLOBAL numpy.core"), "more than tensors"),
    (ValueError("The checkpoint has model type `new` but Transformers does not recognize this architecture."), "newer"),
]
DAMAGE = [
    RuntimeError("PytorchStreamReader failed reading zip archive: failed finding central directory"),
    EOFError("Ran out of input"),
    KeyError("format"),
    OSError(errno.EINVAL, "Invalid argument"),  # seeking before the begin of a file that was cut off
    ValueError("No JSON"),
    RuntimeError("Error(s) in loading state_dict for TaggingModel: Missing key(s)"),
]


@pytest.mark.parametrize(("error", "words"), REASONS, ids=lambda value: str(value)[:40])
def test_reasons(error, words):
    said = other_than_damage("runs/cuda/checkpoint.pt", error)
    assert said.startswith("runs/cuda/checkpoint.pt: ") and words in said and "elete" not in said
    try:
        raise ModelError("of our own") from error
    except ModelError as wrapped:
        assert other_than_damage("runs/cuda/checkpoint.pt", wrapped) == said, "whatever a library wrapped it in"


@pytest.mark.parametrize("error", DAMAGE, ids=str)
def test_damage(error):
    assert other_than_damage("x.pt", error) is None
    assert other_than_damage("/cuda/x.pt", RuntimeError("/cuda/x.pt: failed reading zip archive")) is None


def failing(monkeypatch, name, error):
    """``torch.load``, or whatever it is, fails once."""
    module, _, function = name.rpartition(".")

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(__import__(module, fromlist=[function]), function, fail)


class Part:
    """Of a checkpoint."""

    def __init__(self, error=None):
        self.error = error

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        if self.error is not None:
            raise self.error


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, identity={}, state=RunState(step=3), model=Part())
    return path


@pytest.mark.parametrize(("error", "words"), REASONS[:9], ids=lambda value: str(value)[:40])
def test_a_checkpoint(checkpoint, monkeypatch, error, words):
    whole = checkpoint.read_bytes()
    with pytest.raises(TrainingError, match=words) as caught:  # while its parts are filled in
        load_checkpoint(checkpoint, identity={}, model=Part(error))
    assert "elete" not in str(caught.value)
    with monkeypatch.context() as patch:
        failing(patch, "torch.load", error)
        with pytest.raises(TrainingError, match=words) as caught:
            load_checkpoint(checkpoint, identity={}, model=Part())
    assert "elete" not in str(caught.value) and checkpoint.read_bytes() == whole
    assert load_checkpoint(checkpoint, identity={}, model=Part()).step == 3


def test_a_checkpoint_of_another_model_or_device_is_whole(checkpoint):
    scaler = RuntimeError("The source state dict is empty, possibly because it was saved from a disabled GradScaler.")
    with pytest.raises(TrainingError, match="whole, but not of this model, device or version") as caught:
        load_checkpoint(checkpoint, identity={}, model=Part(scaler))
    assert "elete" not in str(caught.value)


def test_a_checkpoint_of_a_machine_with_more_devices(checkpoint, monkeypatch):
    """The generators of devices that are not there are left; those of the others are set."""
    content = load_archive(checkpoint)
    torch.save({**content, "cuda_rng": [torch.zeros(16, dtype=torch.uint8)] * 3}, checkpoint)
    assert load_checkpoint(checkpoint, identity={}, model=Part()).step == 3, "on a processor alone"
    were_set = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: were_set.append(device))
    load_checkpoint(checkpoint, identity={}, model=Part())
    assert were_set == [0, 1]


def test_no_checkpoint(tmp_path):
    with pytest.raises(TrainingError, match="no checkpoint to go on from") as caught:
        load_checkpoint(tmp_path / "checkpoint.pt", identity={})
    assert "elete" not in str(caught.value)


def test_a_checkpoint_that_lacks_a_part_is_damaged(checkpoint):
    content = load_archive(checkpoint)
    del content["progress"]
    torch.save(content, checkpoint)
    with pytest.raises(TrainingError, match=r"not a whole checkpoint.*progress.*Delete it"):
        load_checkpoint(checkpoint, identity={}, model=Part())


@pytest.fixture
def folder(tiny_encoder, tmp_path):
    return save_model(build_model("ner", tiny_encoder, LABELS, TrainConfig()), tmp_path / "model")


@pytest.mark.parametrize("error", [MemoryError(), CUDA, PermissionError(errno.EACCES, "Permission denied")], ids=repr)
def test_a_model_folder(folder, monkeypatch, error):
    failing(monkeypatch, "hanlp_tutor.core.model_folder.load_file", error)
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    assert "the file is as it was" in str(caught.value) and "not a whole" not in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_model_folder_for_a_device_that_is_not_there(folder):
    with pytest.raises(ConfigError, match="cannot be used here"):
        load_model(folder, device="cuda")


def test_of_an_architecture_that_came_later(folder):
    path = folder / "transformer" / "config.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"bert"', '"bert-of-2031"'), encoding="utf-8")
    with pytest.raises(ModelError, match="newer transformers"):
        load_model(folder)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_without_the_right_to_read(folder, checkpoint):
    for path, load in ((folder / "model.json", lambda: load_model(folder)),
                       (checkpoint, lambda: load_checkpoint(checkpoint, identity={}))):  # fmt: skip
        path.chmod(0)
        with pytest.raises((ModelError, TrainingError), match="Give yourself the right"):
            load()


@pytest.mark.parametrize("error", [MemoryError(), PermissionError(errno.EACCES, "Permission denied")], ids=repr)
def test_an_encoder(tiny_encoder, monkeypatch, error):
    with monkeypatch.context() as patch:
        failing(patch, "hanlp_tutor.encoders.embedded.load", error)
        with pytest.raises(EncoderError, match="the file is as it was"):
            load_encoder("mini-bert")

    def fail(*_, **__):
        raise error

    monkeypatch.setattr("hanlp_tutor.encoders.AutoModel.from_pretrained", fail)
    with pytest.raises(EncoderError, match="the file is as it was"):
        load_encoder(tiny_encoder)


def test_embedded_weights_that_are_cut_off(monkeypatch):
    from safetensors import SafetensorError

    failing(monkeypatch, "hanlp_tutor.encoders.embedded.load", SafetensorError("header too large"))
    with pytest.raises(EncoderError, match="Install the kit again"):
        load_encoder("mini-bert")


def test_a_folder_of_hanlp(folder, tmp_path, monkeypatch):
    exported = export_hanlp(load_model(folder), tmp_path / "hanlp")
    for error in (MemoryError(), CUDA):
        with monkeypatch.context() as patch:
            failing(patch, "torch.load", error)
            with pytest.raises(ModelError, match="the file is as it was") as caught:
                load_hanlp(exported)
            assert "damaged" not in str(caught.value)
    shutil.copy(exported / "config.json", exported / "model.pt")
    with pytest.raises(ModelError, match="not an archive of tensors"):
        load_hanlp(exported)


def test_a_run_says_so(tiny_encoder, tmp_path, monkeypatch):
    """The whole way: a run that finds no memory for its checkpoint is not told to delete it."""
    def run(resume):
        config, train = TrainConfig(epochs=1, batch_size=8), tagged(20)
        model = build_model("ner", tiny_encoder, ("O", "B-LOC", "I-LOC", "B-PER", "I-PER"), config)
        return fine_tune(model, train, [], config, tmp_path / "run", resume=resume, progress="none")

    run(False)
    failing(monkeypatch, "torch.load", REASONS[1][0])
    with pytest.raises(TrainingError, match="memory ran out") as caught:
        run(True)
    assert "elete" not in str(caught.value) and (tmp_path / "run" / "checkpoint.pt").exists()


def test_a_run_folder_that_may_not_be_read_need_not_be_repeated(tmp_path, monkeypatch):
    from hanlp_tutor.errors import DataError
    from hanlp_tutor.workbench.diagnose import diagnose

    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    denied = PermissionError(errno.EACCES, "Permission denied")
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.read_text", lambda *_, **__: (_ for _ in ()).throw(denied))
        with pytest.raises(DataError, match="Give yourself the right") as caught:
            diagnose(tmp_path)
    assert "epeat" not in str(caught.value)
