"""The right renderer for a synth on this machine.

A synth made of tensors renders a whole batch at once, on the device: its renderer will be one more choice here.
"""

from __future__ import annotations

import os

from wav2patch.rendering.base import Renderer
from wav2patch.rendering.cluster import RayRenderer
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.rendering.processes import ProcessRenderer
from wav2patch.rendering.threads import ThreadRenderer
from wav2patch.synths.base import Synth


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def make_renderer(
    synth: Synth,
    workers: int | None = None,
    *,
    deadline: float = 30.0,
    cluster: str | None = None,
    processes: bool = False,
) -> Renderer:
    """A renderer with `workers` at work, one a core by default.

    Engines that may crash get worker processes, and so do several workers of an engine that keeps Python's global
    lock; other engines get threads, and a single worker renders in line.

    Args:
        synth: What renders.
        workers: Renders side by side.
        deadline: Seconds that one render may take; not enforced in line.
        cluster: Address of a Ray cluster to render on; ``"local"`` starts one on this machine.
        processes: Whether to take worker processes for every engine, as where much is done with each render.

    Raises:
        UserError: A cluster is asked for, and Ray is not installed or does not find it.
        ValueError: A number is out of range, or the synth cannot be pickled and needs to be.
    """
    count = workers or available_cores()
    max_tasks: int | None = getattr(synth, "max_tasks", None)
    if cluster is not None:
        address = None if cluster == "local" else cluster
        return RayRenderer(synth, count, deadline, address=address, max_tasks=max_tasks)
    if processes or synth.may_crash or (count > 1 and not synth.releases_gil):
        return ProcessRenderer(synth, count, deadline, max_tasks=max_tasks)
    if count > 1:
        return ThreadRenderer(synth, count, deadline)
    return InlineRenderer(synth)
