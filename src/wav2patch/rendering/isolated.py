"""What renderers share whose workers may die: handing out, deadlines, replacing, results in order.

Where the workers live is up to `processes.py` and `cluster.py`. Each worker has a line of its own to the renderer, so
that one which dies amid a message harms no other. Pebble's pool, whose workers share one pipe and its lock, was tried
first and lost whole batches that way; `docs/benchmarks.md` has the figures.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from wav2patch.parameters import Patch
from wav2patch.rendering.base import Failure, Sound, each_sound
from wav2patch.rendering.skip import SkipList, Skipped
from wav2patch.synths.base import Audio

T = TypeVar("T")

_POLL = 0.1
_FALSE_STARTS = 3


class WorkerEndedError(Exception):
    """A worker is gone; says how, in words that follow "the render"."""


@dataclass(eq=False)
class Job:
    """One render under way: a patch ``(P,)`` of a batch, what is played, and its place there."""

    batch: Batch
    index: int
    patch: Patch
    sound: Sound

    def settle(self, result: Any) -> None:
        """Put the result in its place."""
        self.batch.results[self.index] = result
        self.batch.left -= 1


class Batch:
    """The renders of one call of `Renderer.map`; `then` is a token by which workers find what follows a render."""

    def __init__(self, patches: Sequence[Patch], sounds: Sequence[Sound], then: Any) -> None:
        self.then = then
        pairs = zip(patches, sounds, strict=True)
        self.waiting = deque(Job(self, i, patch, sound) for i, (patch, sound) in enumerate(pairs))
        self.results: list[Any] = [None] * len(patches)
        self.left = len(patches)
        self.cancelled = False


class Worker(ABC):
    """One worker, as the renderer sees it: it answers once when its engine is loaded, then once a job, in order."""

    def __init__(self) -> None:
        self.ready = False
        self.jobs: deque[Job] = deque()
        self.taken = 0
        self.since = time.monotonic()

    @abstractmethod
    def send(self, job: Job) -> None:
        """Hand it a job, without waiting; a worker that is gone is noticed by `receive`."""

    @abstractmethod
    def receive(self) -> Any:
        """Its next answer.

        Raises:
            WorkerEndedError: There will be none.
        """

    @abstractmethod
    def end(self) -> None:
        """End it, whatever it is doing."""


W = TypeVar("W", bound=Worker)


class IsolatedRenderer(ABC, Generic[W]):
    """A fixed number of workers, each replaced when it dies, hangs or has done `max_tasks` renders.

    A thread of its own speaks with the workers. Ctrl-C reaches the main thread only, so it cannot tear a message.

    Args:
        workers: Number of workers.
        deadline: Seconds that one render may take.
        max_tasks: Renders after which a worker is replaced, for engines that leak; None for never.
        loading: Seconds for a worker to start and load its engine, which no render's deadline should pay for.

    Raises:
        ValueError: One of them is less than 1, or the deadline not above 0.
    """

    # Jobs that a worker holds: a second one waits there, so that the worker need not wait for us. Only for workers
    # whose answers are safe once given, even if they die of the next job.
    jobs_ahead = 2

    def __init__(self, workers: int, deadline: float, max_tasks: int | None, loading: float) -> None:
        if workers < 1:
            raise ValueError(f"a renderer has at least one worker, not {workers}")
        if deadline <= 0 or (max_tasks is not None and max_tasks < 1):
            raise ValueError("the deadline of a render lies above 0, and a worker does at least one render")
        self.workers, self.deadline, self.max_tasks, self.loading = workers, deadline, max_tasks, loading
        self._crew: list[W] = []
        self._batches: set[Batch] = set()
        self._skip = SkipList()
        self._false_starts = 0
        self._broken: str | None = None
        self._thread = ThreadPoolExecutor(1, "renderer")
        self._closed = False

    @property
    def skipped(self) -> Sequence[Skipped]:
        """Patches that are rendered no more, as each ended or hung its worker twice."""
        return self._skip.patches

    def map(
        self, patches: Sequence[Patch], sound: Sound | Sequence[Sound], then: Callable[[Audio], T]
    ) -> list[T | Failure]:
        """Render every patch; see `Renderer.map`. It raises `CancelledError` if another thread closes the renderer."""
        if self._closed:
            raise ValueError("the renderer is closed")
        batch = Batch(patches, each_sound(patches, sound), self._store(then))
        self._batches.add(batch)
        try:
            _wait_for(self._thread.submit(self._work, batch))
        except BaseException:
            # Ctrl-C: nothing more is handed out, and what the workers are at ends unheard.
            batch.cancelled = True
            raise
        finally:
            self._batches.discard(batch)
        if batch.left:
            raise CancelledError("the renderer was closed")
        return batch.results

    def close(self) -> None:
        """End every worker; what other threads are having rendered is cut short."""
        if not self._closed:
            self._closed = True
            for batch in list(self._batches):
                batch.cancelled = True
            self._thread.submit(self._dismiss)
            self._thread.shutdown()

    @abstractmethod
    def _store(self, then: Callable[[Audio], Any]) -> Any:
        """Put `then` where workers find it; the token to find it by, equal for equal ones."""

    @abstractmethod
    def _start(self) -> W:
        """A new worker, perhaps not ready yet."""

    @abstractmethod
    def _wait(self, workers: Sequence[W], seconds: float) -> Iterable[W]:
        """Those from which something can be received, after so many seconds at most."""

    @abstractmethod
    def _end_all(self, workers: Sequence[W]) -> None:
        """End workers, gently where they are idle, and let go of all else."""

    def _dismiss(self) -> None:
        self._end_all(self._crew)
        self._crew.clear()

    def _work(self, batch: Batch) -> None:
        # Who died idle is found now, before a render is given to it in vain.
        for worker in self._wait(self._crew, 0) if self._crew else ():
            self._take(worker)
        while batch.left and not batch.cancelled:
            self._staff()
            self._hand_out(batch)
            for worker in self._wait(self._crew, self._patience()) if batch.left else ():
                self._take(worker)
            self._end_overdue()
            if self._broken is not None:
                _settle_all(batch.waiting, Failure(self._broken))

    def _staff(self) -> None:
        while len(self._crew) < self.workers and self._broken is None:
            self._crew.append(self._start())

    def _hand_out(self, batch: Batch) -> None:
        for depth in range(1, self.jobs_ahead + 1):
            for worker in self._crew:
                # At the end of a batch another worker will be free for it sooner.
                if depth > 1 and len(batch.waiting) <= self.workers:
                    return
                if worker.ready and len(worker.jobs) < depth and worker.taken != self.max_tasks:
                    self._hand_one(batch, worker)

    def _hand_one(self, batch: Batch, worker: W) -> None:
        while batch.waiting:
            job = batch.waiting.popleft()
            if known := self._skip.find(job.patch, job.sound):
                job.settle(Failure(f"skipped, as this patch took its worker along twice: {known.reason}"))
                continue
            if not worker.jobs:
                worker.since = time.monotonic()
            worker.jobs.append(job)
            worker.taken += 1
            worker.send(job)
            return

    def _take(self, worker: W) -> None:
        try:
            answer = worker.receive()
        except WorkerEndedError as end:
            self._lose(worker, str(end))
            return
        worker.since = time.monotonic()
        if not worker.ready:
            worker.ready, self._false_starts = True, 0
            return
        worker.jobs.popleft().settle(answer)
        if worker.taken == self.max_tasks and not worker.jobs:
            self._crew.remove(worker)
            worker.end()
            self._staff()

    def _end_overdue(self) -> None:
        for worker in [worker for worker in self._crew if self._time_left(worker) < 0]:
            self._lose(worker, f"took longer than {self.deadline if worker.ready else self.loading:g} s")

    def _time_left(self, worker: W) -> float:
        if worker.ready and not worker.jobs:
            return _POLL
        return worker.since + (self.deadline if worker.ready else self.loading) - time.monotonic()

    def _patience(self) -> float:
        return max(0.0, min([_POLL, *map(self._time_left, self._crew)]))

    def _lose(self, worker: W, reason: str) -> None:
        """Replace a worker: the render that it was at has failed, what waited behind is given out anew."""
        self._crew.remove(worker)
        worker.end()
        if not worker.ready:
            self._note_false_start(reason)
            return
        if worker.jobs:
            job = worker.jobs.popleft()
            self._skip.strike(job.patch, job.sound, f"the render {reason}")
            job.settle(Failure(f"the render {reason}"))
        for job in reversed(worker.jobs):
            job.batch.waiting.appendleft(job)
        self._staff()

    def _note_false_start(self, reason: str) -> None:
        self._false_starts += 1
        if self._false_starts >= _FALSE_STARTS and not any(worker.ready for worker in self._crew):
            self._broken = f"no worker could be started: the last one {reason}"


def _settle_all(jobs: deque[Job], result: Failure) -> None:
    while jobs:
        jobs.popleft().settle(result)


def _wait_for(work: Future[None]) -> None:
    # A wait without end cannot be interrupted on Windows.
    while not wait([work], 0.2).done:
        pass
    work.result()
