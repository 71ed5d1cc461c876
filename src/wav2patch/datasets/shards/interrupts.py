"""Ctrl-C at a moment when it does no harm."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def interrupts_noted() -> Iterator[Callable[[], None]]:
    """Note a first Ctrl-C, and raise it where the block calls what it is given; a second one is raised at once.

    A `KeyboardInterrupt` comes between any two instructions. HDF5, which calls our Python back from C, loses it there
    or leaves a file that crashes the process when it is closed; futures keep their locks. In threads, which Ctrl-C
    never reaches, this does nothing.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield lambda: None
        return
    came: list[tuple[int, FrameType | None]] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append((number, frame))
        if len(came) > 1:
            before(number, frame)

    def look() -> None:
        if came:
            before(*came[0])

    signal.signal(signal.SIGINT, note)
    try:
        yield look
    finally:
        signal.signal(signal.SIGINT, before)
