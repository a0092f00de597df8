"""What this machine computes with: device, threads, number formats in hardware, memory."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from hanlp_tutor.errors import ConfigError, first_line

# CUDA's compute capability from which a format is computed in hardware: tensor cores for fp16, Ampere for bf16
NEEDED_CAPABILITY = {"fp16": (7, 0), "bf16": (8, 0)}
# PyTorch has a class of its own for a GPU; its CPU allocator, cuBLAS and MPS raise a RuntimeError that says so, and
# oneDNN, which computes on CPUs, one that hardly does
_OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "cublas_status_alloc_failed",
    "could not create a primitive",
    "could not create a memory",
)


def choose_device(name: str = "auto") -> torch.device:
    """``auto`` takes a CUDA device when there is one; of several processes on a machine (torchrun) each its own.

    Raises:
        ConfigError: a device that PyTorch does not know or does not find.
    """
    if name == "auto":
        own = f":{os.environ['LOCAL_RANK']}" if "TORCHELASTIC_RUN_ID" in os.environ else ""
        return torch.device(f"cuda{own}" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"device={name!r} cannot be used here: {first_line(error)}") from None
    return device


def make_deterministic(on: bool, device: torch.device) -> None:
    """Same seed, same numbers: deterministic algorithms where PyTorch has them, a warning that names what it lacks.

    Of the kernels for attention on a GPU the plain one is taken: the backward passes of the others add up in any order.
    """
    if on and device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS's own condition for determinism
        torch.backends.cuda.enable_flash_sdp(False)
        torch.backends.cuda.enable_mem_efficient_sdp(False)
    torch.use_deterministic_algorithms(on, warn_only=True)
    # PyTorch would fill every new tensor with NaN, for kernels that read memory nobody wrote: a fiftieth of an update
    torch.utils.deterministic.fill_uninitialized_memory = False


def allow_tf32(on: bool, device: torch.device) -> None:
    """Let float32 products of a GPU use tensor cores: TF32, float32's range with 10 bits of mantissa; or forbid it."""
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high" if on else "highest")  # where there is no TF32, both are float32


@contextlib.contextmanager
def settings_restored() -> Iterator[None]:
    """Around a run: what it switches for the whole process is afterwards as it was."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    filled = torch.utils.deterministic.fill_uninitialized_memory
    products = torch.get_float32_matmul_precision()
    flash, efficient = torch.backends.cuda.flash_sdp_enabled(), torch.backends.cuda.mem_efficient_sdp_enabled()
    workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        torch.utils.deterministic.fill_uninitialized_memory = filled
        torch.set_float32_matmul_precision(products)
        torch.backends.cuda.enable_flash_sdp(flash)
        torch.backends.cuda.enable_mem_efficient_sdp(efficient)
        if workspace is None:
            os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)


def autocast(device: torch.device, dtype: torch.dtype | None) -> contextlib.AbstractContextManager[None]:
    """Matrix products in ``dtype``, sums and losses in float32; None is float32 for all."""
    return contextlib.nullcontext() if dtype is None else torch.autocast(device.type, dtype)


def limit_threads() -> int:
    """Compute with as many threads as there are processors granted, and return their number.

    A container (Binder, a class-room server) sees every core of its host but may use two; a thread for each core then
    spends its time waiting for the others, and training is many times slower. joblib knows the quota, which it rounds
    up, and the cores that a process is bound to. An explicit OMP_NUM_THREADS wins.
    """
    from joblib import cpu_count

    if "OMP_NUM_THREADS" not in os.environ and torch.get_num_threads() > cpu_count():
        torch.set_num_threads(cpu_count())
    return torch.get_num_threads()


def is_fast(device: torch.device, format: str) -> bool:
    """Whether matrix products in ``fp16`` or ``bf16`` are done in hardware.

    On CUDA, bf16 needs compute capability 8.0: for a T4 (7.5) ``torch.cuda.is_bf16_supported()`` is True by
    emulation. fp16 is fast from 7.0 (tensor cores). On a processor the instruction set decides.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= NEEDED_CAPABILITY[format]
    if device.type == "cpu":
        needed = {"bf16": {"amx_bf16", "avx512_bf16"}, "fp16": {"amx_fp16", "avx512_fp16"}}[format]
        return bool(needed & _processor_flags())
    return format == "fp16" and device.type == "mps"


def describe_device(device: torch.device) -> str:
    """A name to print: the GPU's, or the processor's with its threads."""
    if device.type == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        return f"{torch.cuda.get_device_name(device)} (compute capability {major}.{minor})"
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"{_processor_name()} ({threads} thread{'s' * (threads > 1)})"
    return device.type


def synchronize(device: torch.device) -> None:
    """Wait for the device; only where a clock is read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


_OWN = Path("/proc/self")  # of Linux: what the kernel knows of this process


def reset_peak_memory(device: torch.device) -> None:
    """Let :func:`peak_memory_mb` count from now on; off Linux the peak of a process stays what it was."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        with contextlib.suppress(OSError):
            (_OWN / "clear_refs").write_text("5")


def peak_memory_mb(device: torch.device) -> float:
    """The highest memory since it was reset, in MiB: of PyTorch's allocator on a GPU, of the process otherwise."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    with contextlib.suppress(OSError, StopIteration):
        lines = (_OWN / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10
    import psutil

    info = psutil.Process().memory_info()
    try:
        import resource
        import sys

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
    except ImportError:  # Windows
        return getattr(info, "peak_wset", info.rss) / 2**20


def release_memory() -> None:
    """Collect garbage and give the free pages of the heap back, before another process needs them."""
    gc.collect()
    trim_heap()


def trim_heap() -> None:
    """Let glibc return its free pages; elsewhere nothing.

    After an epoch of batches of all lengths a process holds twice what it uses (measured: 1,056 MiB, then 564). No
    garbage is collected: tensors are freed as they are let go of, and to look through a corpus of 20,000 sentences for
    cycles takes a quarter of a second, half of a small run when it is done after each evaluation.
    """
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):  # musl has no malloc_trim
            ctypes.CDLL(None).malloc_trim(0)


def give_back_memory() -> None:
    """After a lack of memory: what PyTorch keeps of a GPU's for later goes back, in pieces that fit together again."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on whatever device."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _OUT_OF_MEMORY)


def _processor_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return next((set(line.split(":", 1)[1].split()) for line in lines if line.startswith(("flags", "Features"))), set())


def _processor_name() -> str:
    import platform

    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
