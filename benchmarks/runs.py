"""Trainings of a benchmark: each in a process of its own, one thread each, several side by side."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from multiprocessing import get_context, parent_process

from wav2patch.configs.composing import compose_settings
from wav2patch.errors import UserError
from wav2patch.training.run import RunResult, fit

Words = Sequence[str]
"""What ``wav2patch train`` would be given."""

QUIET = (
    *("trainer.accelerator=cpu", "logging.tensorboard=false"),
    *("callbacks.audio=0", "callbacks.parameter_errors=0", "callbacks.pictures=false"),
)
"""Words of a run that nobody watches."""


def train_all(runs: Mapping[str, Words], jobs: int) -> dict[str, RunResult]:
    """All runs by their names, in the order they are given; what was finished before is left alone.

    Args:
        runs: What each is given.
        jobs: How many side by side.

    Raises:
        SystemExit: A run cannot be done, with the sentence that says why.
    """
    began, found = time.monotonic(), {}
    with get_context("spawn").Pool(jobs, _end_with_parent, maxtasksperchild=1) as pool:
        try:
            for name, result in pool.imap_unordered(_train, runs.items(), chunksize=1):
                found[name] = result
                minutes = (time.monotonic() - began) / 60
                print(f"{len(found)}/{len(runs)}  {minutes:.0f} min  {name}: {told(result)}", flush=True)
        except UserError as error:
            raise SystemExit(str(error)) from error
    return {name: found[name] for name in runs}


def told(result: RunResult) -> str:
    """How a run ended, in a line."""
    figures = ", ".join(f"{name} {value:.4f}" for name, value in result.metrics.items() if name.startswith("val/"))
    return f"{result.state}, {result.steps} steps in {result.seconds / 60:.1f} min, {figures}"


def _end_with_parent() -> None:
    """Have this process end when the one that started it was killed, or it would train on beside the next attempt."""
    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _train(job: tuple[str, Words]) -> tuple[str, RunResult]:
    import torch  # noqa: PLC0415 - only in the process that trains

    torch.set_num_threads(1)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    name, words = job
    return name, fit(compose_settings(list(words)))
