"""Freed memory goes back to the system."""

import gc
import sys
from pathlib import Path

import pytest

from hanlp_tutor.device import release_memory


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_small_blocks_are_returned():
    blocks = [bytes(2000) for _ in range(50_000)]
    last = bytes(2000)  # holds the top of the heap, so that freeing alone returns nothing
    before = resident_mb()
    del blocks
    gc.collect()
    release_memory()
    assert before - resident_mb() > 50
    assert last


def test_another_system(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    release_memory()
