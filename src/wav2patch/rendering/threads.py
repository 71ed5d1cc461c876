"""Renders side by side in threads, for engines that release Python's global lock."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from wav2patch.parameters import Patch
from wav2patch.rendering.base import Failure, Sound, each_sound, render_one
from wav2patch.synths.base import Audio, Synth

T = TypeVar("T")

_POLL = 0.02
_LONGEST_WAIT = 1.0


class _Job:
    def __init__(self, patch: Patch, sound: Sound, then: Callable[[Audio], Any]) -> None:
        self.patch, self.sound, self.then = patch, sound, then
        self.started: float | None = None
        self.given_up = False
        self.replaced = False
        self.done = threading.Event()
        self.result: Any = None


class ThreadRenderer:
    """A fixed number of daemon threads that share a queue of renders.

    A thread cannot be stopped from outside. One whose render passes the deadline is given up: its render counts
    as failed, another thread takes its place, and it ends by itself if its render ever returns.

    Args:
        synth: Its `render` is called from several threads at once.
        workers: Number of threads.
        deadline: Seconds that one render may take.
    """

    skipped = ()

    def __init__(self, synth: Synth, workers: int, deadline: float = 30.0) -> None:
        if workers < 1:
            raise ValueError(f"a renderer has at least one worker, not {workers}")
        self.synth = synth
        self.workers = workers
        self.deadline = deadline
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        for _ in range(workers):
            self._start_worker()

    def map(
        self, patches: Sequence[Patch], sound: Sound | Sequence[Sound], then: Callable[[Audio], T]
    ) -> list[T | Failure]:
        """Render every patch; see `Renderer.map`. It raises `CancelledError` if another thread closes the renderer."""
        jobs = [_Job(patch, one, then) for patch, one in zip(patches, each_sound(patches, sound), strict=True)]
        for job in jobs:
            self._jobs.put(job)
        try:
            return [self._wait(job) for job in jobs]
        except BaseException:
            # Ctrl-C: what waits in the queue would hold up whatever is rendered next.
            for job in jobs:
                job.given_up = True
            raise

    def close(self) -> None:
        """Let every thread end after the render it is at; what other threads are having rendered is cut short."""
        self._closed = True
        for _ in range(self.workers):
            self._jobs.put(None)

    def _start_worker(self) -> None:
        threading.Thread(target=_work, args=(self.synth, self._jobs), daemon=True).start()

    def _wait(self, job: _Job) -> Any:
        # A job's clock starts when a worker takes it, so a long queue does not eat into its time.
        while not job.done.wait(0.0 if self._closed else self._patience(job)):
            if self._closed:
                raise CancelledError("the renderer was closed")
            if job.started is not None and time.monotonic() - job.started > self.deadline:
                job.replaced = True
                self._start_worker()
                return Failure(f"the render took longer than {self.deadline:g} s")
        return job.result

    def _patience(self, job: _Job) -> float:
        if job.started is None:
            return _POLL
        return min(max(job.started + self.deadline - time.monotonic(), 0.0) + _POLL, _LONGEST_WAIT)


def _work(synth: Synth, jobs: queue.SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        if job.given_up:
            continue
        job.started = time.monotonic()
        job.result = render_one(synth, job.patch, job.sound, job.then)
        job.done.set()
        if job.replaced:
            return
