"""Ctrl-C at a moment when it does no harm."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def interrupts_later() -> Iterator[None]:
    """Hold a Ctrl-C back until the block ends; in other threads, which it never reaches, do nothing.

    HDF5 calls our Python back from C, and passes no exception on: a `KeyboardInterrupt` raised in there is lost, or
    leaves a file that crashes the process when it is closed.
    """
    before = signal.getsignal(signal.SIGINT)
    # What was not installed from Python cannot be put back from Python.
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came and callable(before):
            before(*came[0])
