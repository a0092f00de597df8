"""Number formats: real fp16 and bf16 on the CPU, the scaler's skipped step, and who is refused."""

import itertools
import math
import os

import pytest
import torch
from click.testing import CliRunner
from small_runs import PLAIN, distance, flat, gradient_by_hand, make, mean_over_window, watching, weights
from toy import tagged

from hanlp_tutor import Predictor, device
from hanlp_tutor.cli import app
from hanlp_tutor.config import TrainConfig
from hanlp_tutor.core import model_folder, precision
from hanlp_tutor.core.checkpoint import identity
from hanlp_tutor.core.history import read_history
from hanlp_tutor.core.model_folder import load_model, save_model
from hanlp_tutor.core.precision import Precision, choose_precision
from hanlp_tutor.core.run import Run
from hanlp_tutor.core.train import fine_tune
from hanlp_tutor.data import write_columns
from hanlp_tutor.device import is_fast
from hanlp_tutor.errors import ConfigError, TrainingError
from hanlp_tutor.run_folder import digest
from hanlp_tutor.serving.opening import open_model

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
FP16 = {"fp16": True, "allow_slow_precision": True}


@pytest.fixture
def processor(monkeypatch):
    """A processor with just these instructions."""
    return lambda *flags: monkeypatch.setattr(device, "_processor_flags", lambda: set(flags))


@pytest.fixture
def first_scale(monkeypatch):
    """The loss scale that runs begin with."""
    real = torch.amp.GradScaler

    def begin(scale):
        monkeypatch.setattr(
            torch.amp, "GradScaler", lambda device, enabled: real(device, init_scale=scale, enabled=enabled)
        )

    return begin


@pytest.mark.parametrize("wanted", ["fp16", "bf16"])
def test_a_processor_without_the_instructions_is_refused(processor, wanted):
    processor("avx2", "avx512f")
    with pytest.raises(ConfigError, match=rf"{wanted}=True.*allow_slow_precision"):
        choose_precision(TrainConfig(device="cpu", **{wanted: True}))
    allowed = choose_precision(TrainConfig(device="cpu", allow_slow_precision=True, **{wanted: True}))
    assert allowed.dtype is {"fp16": torch.float16, "bf16": torch.bfloat16}[wanted]


def test_a_processor_with_the_instructions(processor):
    processor("avx512_bf16")
    assert choose_precision(TrainConfig(device="cpu", bf16=True)).dtype is torch.bfloat16
    with pytest.raises(ConfigError, match="use bf16=True"):
        choose_precision(TrainConfig(device="cpu", fp16=True))
    processor("amx_bf16", "amx_fp16")
    assert choose_precision(TrainConfig(device="cpu", fp16=True)).dtype is torch.float16


@pytest.mark.parametrize(
    ("capability", "fp16", "bf16"),
    [((6, 1), False, False), ((7, 5), True, False), ((8, 0), True, True), ((9, 0), True, True)],
)
def test_what_a_gpu_can_do(monkeypatch, capability, fp16, bf16):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: "Tesla")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *a, **k: True)  # by emulation, as a T4 answers
    monkeypatch.setattr(precision, "choose_device", lambda name: CUDA)
    assert (is_fast(CUDA, "fp16"), is_fast(CUDA, "bf16")) == (fp16, bf16)
    if fp16 and not bf16:
        with pytest.raises(ConfigError, match=r"7\.5.*use fp16=True"):
            choose_precision(TrainConfig(bf16=True))


def test_a_device_that_does_not_exist():
    with pytest.raises(ConfigError, match="device='gpu'"):
        choose_precision(TrainConfig(device="gpu"))


def test_float32_needs_no_scaler():
    plain = Precision(CPU, None)
    assert not plain.scaler().is_enabled() and not Precision(CPU, torch.bfloat16).scaler().is_enabled()
    assert Precision(CPU, torch.float16).scaler().is_enabled()
    with plain.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.float32
    with Precision(CPU, torch.float16).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.float16


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")  # the first update is skipped on purpose
def test_an_overflow_skips_the_update_halves_the_scale_and_the_run_goes_on(
    tiny_encoder, tmp_path, monkeypatch, first_scale, optimizer
):
    """Gradients beyond 65,504 overflow in fp16, until the scale is small enough."""
    first_scale(2.0**27)
    examples = tagged(64)
    config = PLAIN.replace(batch_size=4, log_steps=1, optimizer=optimizer, lr=1e-4, head_lr=1e-4, weight_decay=0.01)
    config = config.replace(max_grad_norm=1.0, **FP16)
    model = make("ner", examples, tiny_encoder)
    states = [flat(weights(model).values())]
    real = Run.end_update

    def note(run, *arguments):
        states.append(flat(weights(model).values()))
        real(run, *arguments)

    monkeypatch.setattr(Run, "end_update", note)
    fine_tune(model, examples, [], config, tmp_path)
    rows = read_history(tmp_path / "history.csv")
    scales = [2.0**27, *(row["loss_scale"] for row in rows)]
    skipped = [after == before / 2 for before, after in itertools.pairwise(scales)]
    assert skipped[0] and 2 <= sum(skipped) < len(rows) - 2, "some are skipped, then it goes on"
    for number, skip in enumerate(skipped):
        assert torch.equal(states[number], states[number + 1]) == skip
        assert math.isfinite(rows[number]["grad_norm"]) != skip
    assert all(state.isfinite().all() for state in states)


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
def test_a_skipped_update_does_not_move_the_schedule(tiny_encoder, tmp_path, first_scale):
    first_scale(2.0**27)
    config = PLAIN.replace(batch_size=4, log_steps=1, lr=1e-3, schedule="linear", max_grad_norm=1.0, **FP16)
    fine_tune(make("ner", tagged(64), tiny_encoder), tagged(64), [], config, tmp_path)
    rows = read_history(tmp_path / "history.csv")
    taken = 0
    for row in rows:
        assert row["lr"] == pytest.approx(1e-3 * (1 - taken / len(rows)))
        taken += math.isfinite(row["grad_norm"])
    assert 2 <= len(rows) - taken < len(rows) - 2


def test_clipping_comes_after_unscaling(tiny_encoder, tmp_path, first_scale):
    """The norm in the history is the true one, and an update moves lr times the clipped norm."""
    first_scale(2.0**10)
    examples = tagged(8)
    config = PLAIN.replace(batch_size=8, max_grad_norm=0.05, l2=5.0, l2_on="all", **FP16)
    model = make("ner", examples, tiny_encoder)
    before, total = flat(weights(model).values()), sum(len(e.text) for e in examples)
    expected = gradient_by_hand(model, examples, mean_over_window)
    l2 = {name: 5.0 / total * 2 * parameter for name, parameter in weights(model).items() if name in expected}
    norm = flat(expected[name] + l2[name] for name in expected).norm()
    fine_tune(model, examples, [], config, tmp_path)
    (row,) = read_history(tmp_path / "history.csv")
    assert row["loss_scale"] == 2.0**10
    assert row["grad_norm"] == pytest.approx(float(norm), rel=0.01)
    moved = float((flat(weights(model).values()) - before).norm())
    assert moved == pytest.approx(0.1 * 0.05, rel=0.01)


@pytest.mark.parametrize(("name", "tolerance"), [("fp16", 0.01), ("bf16", 0.05)])
def test_half_precision_gradients_are_nearly_those_of_float32(tiny_encoder, tmp_path, first_scale, name, tolerance):
    first_scale(2.0**10)
    examples = tagged(16)
    config = PLAIN.replace(batch_size=8, gradient_accumulation_steps=2)
    found = []
    for options in ({}, {name: True, "allow_slow_precision": True}):
        model = make("ner", examples, tiny_encoder)
        with watching(model) as updates:
            fine_tune(model, examples, [], config.replace(**options), tmp_path / str(len(found)))
        found.append(flat(updates[0][1].values()))
    assert 1e-6 < distance(found[1], found[0]) < tolerance


def test_small_gradients_survive_in_fp16_only_with_a_scale(tiny_encoder, tmp_path, first_scale):
    """What loss scaling is for: a loss divided by 50,000 tokens leaves gradients below fp16's smallest number."""
    examples = tagged(8)
    lost = []
    for scale in (2.0**-12, 2.0**12):
        first_scale(scale)
        model = make("ner", examples, tiny_encoder)
        with watching(model) as updates:
            fine_tune(model, examples, [], PLAIN.replace(batch_size=8, **FP16), tmp_path / str(scale))
        gradient = updates[0][1]["encoder.encoder.layer.0.attention.self.query.weight"]
        lost.append(float((gradient == 0).float().mean()))
    assert lost[0] > 0.5 > 0.05 > lost[1]


def switches():
    """What a process may have set for all that it computes."""
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.get_float32_matmul_precision(),
        torch.backends.cuda.flash_sdp_enabled(),
        torch.backends.cuda.mem_efficient_sdp_enabled(),
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    )


@pytest.mark.parametrize(("options", "on"), [({}, True), ({"deterministic": False}, False)])
def test_deterministic_while_it_runs_and_not_a_moment_longer(tiny_encoder, tmp_path, options, on):
    before, during = switches(), []
    fine_tune(make("ner", tagged(8), tiny_encoder), tagged(8), [], PLAIN.replace(**options), tmp_path / "run",
              on_start=lambda run: during.append(torch.are_deterministic_algorithms_enabled()))  # fmt: skip
    assert during == [on] and switches() == before
    with pytest.raises(TrainingError, match="holds a run already"):
        fine_tune(make("ner", tagged(8), tiny_encoder), tagged(8), [], PLAIN.replace(**options), tmp_path / "run")
    assert switches() == before


def test_memory_that_nobody_reads_is_not_filled_and_the_weights_are_the_same(tiny_encoder, tmp_path):
    """PyTorch fills every new tensor with NaN in deterministic mode, unless told not to."""
    fill, weights, during = torch.utils.deterministic, [], []

    def filled(run):
        during.append(fill.fill_uninitialized_memory)
        fill.fill_uninitialized_memory = True

    for name, start in (("as it is", None), ("filled", filled)):
        model = make("ner", tagged(8), tiny_encoder)
        fine_tune(model, tagged(8), [], PLAIN, tmp_path / name, on_start=start)
        weights.append(model.state_dict())
    assert during == [False] and fill.fill_uninitialized_memory, "PyTorch's own default, before and after"
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_what_a_process_had_set_itself_stays(tiny_encoder, tmp_path):
    with device.settings_restored():
        torch.use_deterministic_algorithms(True, warn_only=False)
        torch.set_float32_matmul_precision("medium")
        before = switches()
        fine_tune(make("ner", tagged(8), tiny_encoder), tagged(8), [], PLAIN, tmp_path)
        assert switches() == before


@pytest.mark.parametrize("asked", [None, True, False])
def test_on_a_gpu_products_are_tf32_and_kernels_the_fast_ones_unless_asked_otherwise(monkeypatch, asked):
    """The switches of a GPU, set without one."""
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = switches()
    with device.settings_restored():
        device.allow_tf32(True, CUDA)
        device.make_deterministic(bool(asked), CUDA)
        fast = not asked
        assert switches() == (not fast, True, "high", fast, fast, None if fast else ":4096:8")
        device.allow_tf32(False, CUDA)
        assert torch.get_float32_matmul_precision() == "highest"
    assert switches() == before
    device.allow_tf32(True, CPU)
    assert switches() == before, "a processor computes float32"


@pytest.mark.parametrize(("kind", "expected"), [(CPU, True), (CUDA, False)])
def test_deterministic_by_default_on_the_processor_alone(monkeypatch, tiny_encoder, kind, expected):
    asked, model = [], make("ner", tagged(8), tiny_encoder)
    monkeypatch.setattr(precision, "choose_device", lambda name: kind)
    monkeypatch.setattr(precision, "reset_peak_memory", lambda device: None)
    monkeypatch.setattr(model, "to", lambda device: model)
    monkeypatch.setattr(precision, "make_deterministic", lambda on, device: asked.append(on))
    with device.settings_restored():
        for options in ({}, {"deterministic": True}, {"deterministic": False}):
            precision.set_up(model, PLAIN.replace(**options))
    assert asked == [expected, True, False]


def test_evaluation_and_prediction_compute_as_training_does(tiny_encoder, tmp_path, monkeypatch):
    """bf16 in training, when it is evaluated, in a Predictor, and after it was saved where the device is fast in it."""
    model, seen = make("ner", tagged(8), tiny_encoder), []
    model.encoder.encoder.layer[0].output.dense.register_forward_hook(lambda *given: seen.append(given[2].dtype))
    fine_tune(model, tagged(8), tagged(8), PLAIN.replace(bf16=True, allow_slow_precision=True), tmp_path / "run")
    Predictor(model).predict("张三来了")
    assert set(seen) == {torch.bfloat16}
    save_model(model, tmp_path / "model")
    for fast, expected in ((True, torch.bfloat16), (False, None)):
        monkeypatch.setattr(model_folder, "is_fast", lambda device, format, fast=fast: fast)
        assert load_model(tmp_path / "model").computes_in is expected
    fine_tune(model, tagged(8), tagged(8), PLAIN, tmp_path / "float32")
    assert model.computes_in is None


def test_a_predictor_takes_the_gpu_when_there_is_one(tiny_encoder, tmp_path, monkeypatch):
    save_model(make("ner", tagged(8), tiny_encoder), tmp_path / "model")
    asked = []
    monkeypatch.setattr(model_folder, "choose_device", lambda name: asked.append(name) or CPU)
    Predictor.load(tmp_path / "model")
    Predictor.load(tmp_path / "model", device="cpu")
    open_model(tmp_path / "model")
    assert CliRunner().invoke(app, ["predict", str(tmp_path / "model"), "张三"]).exit_code == 0
    write_columns(tmp_path / "test.tsv", tagged(8))
    assert CliRunner().invoke(app, ["evaluate", str(tmp_path / "model"), str(tmp_path / "test.tsv")]).exit_code == 0
    assert asked == ["auto", "cpu", "auto", "auto", "auto"]
    monkeypatch.undo()
    with pytest.raises(ConfigError, match="cuda:99"):
        load_model(tmp_path / "model", device="cuda:99")


def test_runs_from_before_these_options_go_on(tiny_encoder):
    """The hash of a configuration is that of an earlier version, unless one of them is given."""
    model = make("ner", tagged(8), tiny_encoder)
    given = {"none": {}, "usual": {"tf32": True}, "other": {"deterministic": True}}
    of = {name: identity(model, [], [], PLAIN.replace(**o))["configuration"] for name, o in given.items()}
    earlier = digest(PLAIN.model_dump_json(exclude={"tf32", "deterministic", "compile", "varlen", "loss_mean"}))
    assert of["none"] == of["usual"] == earlier != of["other"]


def test_a_compiled_encoder_learns_the_same_and_is_compiled_once_for_all_lengths(tiny_encoder, tmp_path, monkeypatch):
    """PyTorch's own front end on a CPU; a GPU has another back end behind it."""
    import torch._dynamo

    graphs = []

    def noted(graph, inputs):
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(precision, "COMPILER", noted)
    real = precision.compile_encoder
    monkeypatch.setattr(precision, "compile_encoder", lambda model, on, device: real(model, on, CUDA))
    examples = [*tagged(24), *tagged(24, seed=1, shortest=40, longest=60), *tagged(8, seed=2, shortest=90, longest=99)]
    config = PLAIN.replace(batch_size=4, epochs=2, log_steps=1, lr=1e-2, head_lr=1e-2)
    runs = {}
    for on in (False, True):
        model = make("ner", examples, tiny_encoder, config)
        result = fine_tune(model, examples, examples[:9], config.replace(compile=on), tmp_path / str(on))
        runs[on] = [row["loss"] for row in result.history]
        assert model.encoder._compiled_call_impl is None, "what is saved or exported is the plain one"
    torch._dynamo.reset()
    assert runs[True] == pytest.approx(runs[False], rel=1e-4)
    assert 1 <= len(graphs) <= 4, "with and without padding, training and evaluating; widths are many"


def test_a_cpu_compiles_nothing(tiny_encoder, tmp_path):
    config = PLAIN.replace(compile=True, device="cpu")
    with pytest.raises(ConfigError, match=r"compile=True: .* is no GPU.* Leave it out"):
        fine_tune(make("ner", tagged(8), tiny_encoder), tagged(8), [], config, tmp_path / "run")
