"""Ctrl-C between two steps."""

from __future__ import annotations

import signal
import threading
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback


class Interrupts(Callback):
    """The first Ctrl-C ends the run after the step that is under way, so that it can go on exactly; the second at once.

    Lightning alone would raise it anywhere, even where half of the weights have changed.
    """

    def __init__(self) -> None:
        self._asked = False
        self._before: Any = None

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Listen."""
        if threading.current_thread() is threading.main_thread():
            self._asked = False
            self._before = signal.signal(signal.SIGINT, self._ask)

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """End the run if that was asked for."""
        if self._asked:
            raise KeyboardInterrupt

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Listen no more."""
        self._restore()

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        """Listen no more; Lightning ignores Ctrl-C once it is stopping."""
        if not isinstance(exception, KeyboardInterrupt):
            self._restore()
        self._before = None

    def _ask(self, number: int, frame: Any) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def _restore(self) -> None:
        before, self._before = self._before, None
        if before is not None:
            signal.signal(signal.SIGINT, before)
