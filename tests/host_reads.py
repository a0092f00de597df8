"""Every place where the host reads a tensor: on a GPU each of them waits for all that was queued before."""

import traceback

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

# Of a CPU tensor these dispatch no operation, so their calls are counted.
_METHODS = ("tolist", "cpu", "numpy", "__array__")
_ATEN = torch.ops.aten
_OPERATIONS = {
    _ATEN._local_scalar_dense.default,  # item, bool, float, int, and a tensor as an index
    _ATEN.is_nonzero.default,
    _ATEN.equal.default,
    _ATEN.nonzero.default,
    _ATEN.masked_select.default,
    _ATEN._unique2.default,
    _ATEN.unique_dim.default,
    _ATEN.unique_consecutive.default,
    _ATEN.repeat_interleave.Tensor,
}


class HostReads:
    """A context in which reads are noted; ``found`` has the lines of ours and of libraries' from which each came."""

    def __init__(self):
        self.found: list[str] = []
        self.paused = False

    def note(self, what):
        if not self.paused:
            stack = [f for f in traceback.extract_stack() if "torch/overrides" not in f.filename][:-2]
            where = [f"{f.filename.rsplit('/', 2)[-1]}:{f.lineno}" for f in stack[-12:]]
            self.found.append(f"{what} in {' '.join(where)}")

    def __enter__(self):
        self._modes = _Calls(self), _Operations(self)
        for mode in self._modes:
            mode.__enter__()
        return self

    def __exit__(self, *error):
        for mode in reversed(self._modes):
            mode.__exit__(*error)


class _Calls(TorchFunctionMode):
    def __init__(self, reads):
        super().__init__()
        self.reads = reads

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if getattr(function, "__name__", "") in _METHODS:
            self.reads.note(function.__name__)
        return function(*args, **(kwargs or {}))


class _Operations(TorchDispatchMode):
    def __init__(self, reads):
        super().__init__()
        self.reads = reads

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        by_mask = function in (_ATEN.index.Tensor, _ATEN.index_put.default, _ATEN.index_put_.default) and any(
            index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1]
        )  # the shape depends on what the mask holds
        if function in _OPERATIONS or by_mask:
            self.reads.note(str(function))
        return function(*args, **(kwargs or {}))
