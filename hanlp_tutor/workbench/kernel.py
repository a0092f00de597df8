"""The kernel that a notebook runs in: papermill's, with its talk about itself left out.

Its sockets are encrypted, so that it need not warn that they are not, and it ends by a message, not by signals that it
would complain of. Importing this imports papermill.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zmq
from jupyter_client import KernelManager
from jupyter_core.utils import ensure_async, run_sync
from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.iorw import LocalHandler, papermill_io
from papermill.log import logger
from traitlets.config import Config

from hanlp_tutor.files import write_file

ENGINE = "hanlp_tutor"
PATIENCE = 5.0  # seconds for a kernel to end by itself, as in jupyter_client


class _Client(PapermillNotebookClient):
    """Asks its kernel to end, by a message; jupyter_client would send SIGINT first.

    Where Ctrl-C ended the notebook it ends the kernel at once: one that computes would answer later, to nobody.
    """

    def execute(self, **kwargs: Any) -> Any:
        try:
            return super().execute(**kwargs)
        except KeyboardInterrupt:
            if self.km is not None:  # it was still starting
                self._end_kernel_at_once()
                self._cleanup_kernel()
            raise

    def papermill_execute_cells(self) -> None:
        try:
            super().papermill_execute_cells()
        except KeyboardInterrupt:
            self._end_kernel_at_once()
            raise
        except DeadKernelError as error:  # while it is known how it ended: below minus a signal, else its exit code
            process = getattr(self.km.provisioner, "process", None)
            error.exit_code = None if process is None else process.poll()
            raise

    async def _async_check_alive(self) -> None:
        if not await ensure_async(self.kc.is_alive()):  # nbclient would log it, too; the runner says more
            raise DeadKernelError("Kernel died")

    def _end_kernel_at_once(self) -> None:
        self.shutdown_kernel = "immediate"

    async def _async_cleanup_kernel(self) -> None:
        if self.kc is not None and self.shutdown_kernel == "graceful":
            self.kc.shutdown()
            until = time.monotonic() + PATIENCE
            while await ensure_async(self.km.is_alive()) and time.monotonic() < until:
                await asyncio.sleep(0.05)
        await super()._async_cleanup_kernel()

    _cleanup_kernel = run_sync(_async_cleanup_kernel)


class Engine(NBClientEngine):
    """Papermill's own engine with the client above, an encrypted kernel, and hooks around each cell."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, *, hooks: dict[str, Callable[..., None]], start_timeout: int = 60, **_: Any
    ) -> Any:
        """Run all cells; ``hooks`` are those of nbclient's NotebookClient. What else papermill passes is not for us."""
        client = _Client(
            nb_man,
            kernel_name=kernel_name,
            startup_timeout=start_timeout,
            timeout=None,
            log=logger,
            config=encrypted(),
            **hooks,
        )
        return client.execute()


papermill_engines.register(ENGINE, Engine)


class _Whole(LocalHandler):
    """Writes a notebook whole or not at all; papermill's own way leaves a piece of it on a full disk."""

    def write(self, buf: str, path: str) -> None:
        write_file(path, lambda file: file.write(buf.encode("utf-8")))


@contextmanager
def written_whole(path: Path) -> Iterator[None]:
    """Let papermill write this notebook whole or not at all, after each cell."""
    papermill_io.register(str(path), _Whole())  # by the beginning of the path
    try:
        yield
    finally:
        papermill_io._handlers.pop(0)


def encrypted() -> Config:
    """Let the sockets to the kernel be encrypted where that can be had; else ipykernel warns, rightly, that none is."""
    can = hasattr(KernelManager, "transport_encryption") and zmq.has("curve")
    return Config({"KernelManager": {"transport_encryption": "auto"}} if can else {})
