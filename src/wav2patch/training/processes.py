"""Who speaks, and what is kept quiet, while Lightning trains."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any

import lightning.pytorch  # noqa: F401 - how loud it is is set when it is imported
from lightning.fabric.utilities.rank_zero import rank_zero_only
from torch import distributed

_REMARKS = (
    "Found .* module.* in eval mode",  # a proxy is, in an estimator
    # Few batches, or few workers, are the user's choice.
    "The number of training batches",
    r"The '\w+' does not have many workers",
    # PyTorch's own trees, as Lightning uses them.
    r".*`isinstance\(treespec, LeafSpec\)` is deprecated",
)


def is_first_process() -> bool:
    """Whether this is the process that speaks and writes, of several that train together."""
    known: Any = rank_zero_only
    return known.rank == 0


def leave_group() -> None:
    """Let go of the other processes of a training that has ended."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


@contextlib.contextmanager
def without_remarks() -> Iterator[None]:
    """Leave out warnings that nobody can do anything about."""
    with warnings.catch_warnings():
        for words in _REMARKS:
            warnings.filterwarnings("ignore", words)
        yield


@contextlib.contextmanager
def quiet_lightning() -> Iterator[None]:
    """Keep what Lightning says on its own account from between the lines of a command."""
    if os.environ.get("WAV2PATCH_DEBUG"):
        yield
        return
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [one.level for one in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"lightning\.|torch\.")
        for one in loggers:
            one.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for one, level in zip(loggers, levels, strict=True):
                one.setLevel(level)
