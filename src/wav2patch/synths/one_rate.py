"""Turns for an engine whose tables are the whole process's: one sample rate at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class OneRate:
    """Lets renders of one sample rate run side by side, and those of another wait until they are through.

    Two matches in one process, or a render that was given up and still runs, may ask for different rates at once.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rate = 0
        self._inside = 0

    @contextlib.contextmanager
    def at(self, rate: int) -> Iterator[None]:
        """The block is entered when nobody is inside at another rate (Hz)."""
        with self._changed:
            self._changed.wait_for(lambda: not self._inside or self._rate == rate)
            self._rate, self._inside = rate, self._inside + 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()
