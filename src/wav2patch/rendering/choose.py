"""The right renderer for a synth on this machine."""

from __future__ import annotations

import os

from wav2patch.rendering.base import Renderer
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.rendering.threads import ThreadRenderer
from wav2patch.synths.base import Synth


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def make_renderer(synth: Synth, workers: int | None = None, *, deadline: float = 30.0) -> Renderer:
    """A renderer with `workers` at work, one a core by default.

    Threads serve engines that release the global lock; others render in line.
    """
    count = workers or available_cores()
    if synth.releases_gil:
        return ThreadRenderer(synth, count, deadline)
    return InlineRenderer(synth)
