"""Batches that are made in the background."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator

from wav2patch.training.clips import Batch

_GLANCE = 0.2


class Pump:
    """Takes batches out of an iterator in a thread, a few ahead.

    Args:
        make: Makes the iterator, in the thread.
        ahead: Batches that are kept ready.
        name: Of the thread.
    """

    def __init__(self, make: Callable[[], Iterator[Batch]], ahead: int, name: str = "online batches") -> None:
        self._make = make
        self._ready: queue.Queue[Batch | BaseException] = queue.Queue(ahead)
        self._stopped = threading.Event()
        # A program that ends without a word must not wait for batches that nobody wants.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def take(self) -> Batch:
        """The next batch; raises what the iterator raised."""
        while True:
            with contextlib.suppress(queue.Empty):
                found = self._ready.get(timeout=_GLANCE)
                if isinstance(found, BaseException):
                    raise found
                return found
            if not self._thread.is_alive() and self._ready.empty():
                raise RuntimeError(f"the thread of {self._thread.name} has ended")

    def stop(self, patience: float = 0.0) -> None:
        """Take no more.

        Args:
            patience: Seconds to wait for what is under way.
        """
        self._stopped.set()
        self._thread.join(patience)

    def _run(self) -> None:
        batches = self._make()
        try:
            for batch in batches:
                if not self._put(batch):
                    return
        except BaseException as error:
            self._put(error)
        finally:
            # Here, in the thread that runs it, the generator may be closed.
            getattr(batches, "close", lambda: None)()

    def _put(self, thing: Batch | BaseException) -> bool:
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Full):
                self._ready.put(thing, timeout=_GLANCE)
                return True
        return False
