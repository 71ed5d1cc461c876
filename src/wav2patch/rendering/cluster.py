"""Renders on a Ray cluster, behind the interface of the other renderers; needs the extra ``ray``."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import shutil
import socket
import sys
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from wav2patch.errors import UserError
from wav2patch.parameters import Patch
from wav2patch.rendering.base import Failure, Sound, render_one
from wav2patch.rendering.isolated import IsolatedRenderer, Job, Worker, WorkerEndedError
from wav2patch.rendering.spawning import ONE_THREAD
from wav2patch.rendering.worker import load, prepare_environment
from wav2patch.synths.base import Audio, Synth

# What travels is small: `then`, and what it makes of a render.
_STORE_BYTES = 256 * 2**20
# Answers of up to 4 MB come with the reply, rather than by way of the object store, and nobody watches tasks: together
# they cost a third of the speed.
_SETTINGS = {"max_direct_call_object_size": 4_000_000, "task_events_report_interval_ms": 0}
_PARTING = 2.0
_KNOCKING = 5.0
# Seconds for an actor to start, which on a busy cluster waits for a core.
_LOADING = 300.0


class RayRenderer(IsolatedRenderer["RayWorker"]):
    """A fixed number of Ray actors, each with the synth loaded once; see `ProcessRenderer` for what a bad render costs.

    A Ray that already runs in this process is used. One that is started here has no dashboard, sends no usage
    statistics and writes no token into the home folder; it ends with the program, and serves later renderers too.

    Args:
        synth: Is pickled into each actor.
        workers: Number of actors; on a cluster at an address each takes one core.
        deadline: Seconds that one render may take.
        address: Of an existing cluster, as `ray.init` takes it; None starts one on this machine.
        max_tasks: Renders after which an actor is replaced, for engines that leak; None for never.

    Raises:
        UserError: Ray is not installed, or there is no cluster at the address.
        ValueError: A number is out of range.
    """

    def __init__(
        self,
        synth: Synth,
        workers: int,
        deadline: float = 30.0,
        *,
        address: str | None = None,
        max_tasks: int | None = None,
    ) -> None:
        super().__init__(workers, deadline, max_tasks, _LOADING)
        # An answer that is under way is lost when its actor dies.
        self.jobs_ahead = 1 if synth.may_crash else self.jobs_ahead
        self._ray = _connect(address)
        self._synth = self._ray.put(self._pickled(synth, "a synth that renders on a cluster"))
        self._folder = f"wav2patch-{uuid.uuid4().hex}"
        # Actors on this machine import what this process can import; others have to have it installed.
        path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} if address is None else {}
        # On a cluster of many, an actor waits until a core is free for it; this machine's are the caller's affair.
        self._actor = self._ray.remote(Renders).options(
            num_cpus=0 if address is None else 1, runtime_env={"env_vars": ONE_THREAD | path}
        )
        self._then: tuple[bytes, Any] | None = None
        self._thread.submit(self._staff)

    def _store(self, then: Callable[[Audio], Any]) -> Any:
        data = self._pickled(then, "what follows a render on a cluster")
        if self._then is None or self._then[0] != data:
            self._then = data, self._ray.put(data)
        return self._then[1]

    def _pickled(self, thing: Any, what: str) -> bytes:
        try:
            return _cloudpickle().dumps(thing)
        except Exception as error:
            raise ValueError(f"{what} has to be picklable: {error}") from error

    def _start(self) -> RayWorker:
        return RayWorker(self._ray, self._actor.remote([self._synth], self._folder))

    def _wait(self, workers: Sequence[RayWorker], seconds: float) -> Iterable[RayWorker]:
        due = {worker.answers[0]: worker for worker in workers if worker.answers}
        if not due:
            time.sleep(seconds)
            return []
        ready, _ = self._ray.wait(list(due), timeout=seconds)
        return [due[answer] for answer in ready]

    def _end_all(self, workers: Sequence[RayWorker]) -> None:
        # Any call would start a new Ray where the program has shut it down.
        if not self._ray.is_initialized():
            return
        for worker in workers:
            worker.dismiss()
        for worker in workers:
            worker.end()


class RayWorker(Worker):
    """One actor and the answers that it owes."""

    def __init__(self, ray: Any, actor: Any) -> None:
        super().__init__()
        self._ray, self._actor = ray, actor
        self.answers: deque[Any] = deque([actor.load.remote()])

    def send(self, job: Job) -> None:
        """Hand it a job."""
        # In a list a reference stays one: the actor fetches what it stands for once.
        self.answers.append(self._actor.render.remote(job.patch, job.sound, [job.batch.then]))

    def receive(self) -> Any:
        """Its next answer; see `Worker.receive`."""
        try:
            told = self._ray.get(self.answers.popleft())
            answer = pickle.loads(told) if isinstance(told, bytes) else told
        except self._ray.exceptions.RayActorError as error:
            raise WorkerEndedError(f"ended its worker process ({type(error).__name__})") from error
        except Exception as error:
            answer = Failure(f"what came of the render cannot be read back: {type(error).__name__}: {error}")
        if not self.ready and isinstance(answer, Failure):
            raise WorkerEndedError(answer.reason)
        return answer

    def dismiss(self) -> None:
        """Let it clear away its folder, if it is idle."""
        if self.ready and not self.jobs:
            self.answers.append(self._actor.leave.remote())

    def end(self) -> None:
        """End it, whatever it is doing."""
        if self.answers and not self.jobs:
            self._ray.wait([self.answers[-1]], timeout=_PARTING)
        self._ray.kill(self._actor)


class Renders:
    """The actor: a synth that is loaded once and renders what it is sent."""

    def __init__(self, synth: list[Any], folder: str) -> None:
        self._reference, self._folder = synth[0], Path(tempfile.gettempdir()) / folder
        self._thens: deque[tuple[Any, Callable[[Audio], Any]]] = deque(maxlen=4)

    def load(self) -> Failure | None:
        """Load the synth; the first call."""
        prepare_environment(self._folder)
        try:
            self._synth: Synth = _fetch(self._reference)
            load(self._synth)
        except (Exception, SystemExit) as error:
            self.leave()
            return Failure(f"could not load the synth: {type(error).__name__}: {error}")
        return None

    def render(self, patch: Patch, sound: Sound, then: list[Any]) -> bytes:
        """See `render_one`; `then` holds one reference. Bytes travel faster than what Ray pickles itself."""
        try:
            return pickle.dumps(render_one(self._synth, patch, sound, self._find(then[0])), protocol=5)
        except (Exception, SystemExit) as error:
            return pickle.dumps(Failure(f"{type(error).__name__}: {error}"))

    def leave(self) -> None:
        """Clear away the renderer's folder on this machine."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _find(self, reference: Any) -> Callable[[Audio], Any]:
        for known, then in self._thens:
            if known == reference:
                return then
        self._thens.append((reference, _fetch(reference)))
        return self._thens[-1][1]


def _fetch(reference: Any) -> Any:
    import ray  # noqa: PLC0415 (an extra)

    return _cloudpickle().loads(ray.get(reference))


def _cloudpickle() -> Any:
    return import_module("ray.cloudpickle")


def _connect(address: str | None) -> Any:
    """Ray, connected to a cluster."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address is None:
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    try:
        import ray  # noqa: PLC0415 (an extra, and slow to import)
    except ImportError as error:
        raise UserError("rendering on a cluster needs Ray: pip install 'wav2patch[ray]'.") from error
    if ray.is_initialized():
        return ray
    options: dict[str, Any] = {"address": address, "log_to_driver": False, "logging_level": logging.ERROR}
    if address is not None:
        _knock(address)
    else:
        options |= {"include_dashboard": False, "object_store_memory": _STORE_BYTES, "_system_config": _SETTINGS}
    try:
        with contextlib.redirect_stdout(None):
            ray.init(**options)
    except (ConnectionError, ValueError) as error:
        raise UserError(f"there is no Ray cluster at {address}: {error}") from error
    return ray


def _knock(address: str) -> None:
    # Ray itself tries for more than a minute, and ends the process when it gives up.
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if not (colon and port.isdigit()):
        return
    try:
        socket.create_connection((host, int(port)), _KNOCKING).close()
    except OSError as error:
        raise UserError(f"there is no Ray cluster at {address}: {error.strerror or error}.") from error
