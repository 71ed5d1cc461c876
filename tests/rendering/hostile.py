"""A synth that does to its process whatever its one parameter says, and what follows its renders in a worker.

In a module, so that worker processes can import it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.parameters import Categorical, Discrete, ParameterSpace, Patch
from wav2patch.priors import Prior, UniformPrior
from wav2patch.rendering.base import Renderer, Sound
from wav2patch.synths.base import Audio, Preset, RenderError

SOUND = Sound(Note(60, 100, 0.0, 0.2), 0.3, 22050)
SAMPLES = 6615
RAISING = ("raise", "sys.exit")
BAD_AUDIO = ("nan", "inf", "short", "long", "flat", "integers", "nothing", "no channels")
DYING = ("exit", "exit as if all was well", "kill", "segfault", "abort")
HANGING = ("sleep", "loop", "deadlock")
DEEDS = ("render", "slow", "print", *RAISING, *BAD_AUDIO, *DYING, *HANGING)


def patch(deed: str, value: float = 0) -> Patch:
    return np.array([DEEDS.index(deed), value], dtype=np.float64)


class Hostile:
    """Renders a constant, the patch's value, unless its deed is another."""

    name = title = "hostile"
    preset_suffix = ".hostile"
    bank_name = None
    releases_gil = True
    may_crash = True
    noise_floor = 0.0
    space = ParameterSpace((Categorical("deed", DEEDS), Discrete("value", 0, 999)))

    def missing(self) -> None:
        return None

    def versions(self) -> dict[str, str]:
        return {}

    def prior(self) -> Prior:
        return UniformPrior(self.space)

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        audio = np.full((1, round(length * sample_rate)), patch[1], dtype=np.float32)
        return do(DEEDS[int(patch[0])], audio)

    def write_preset(self, patch: Patch, path: Path | str, *, name: str = "") -> None:
        raise NotImplementedError

    def write_bank(self, patches: Any, path: Path | str, names: Any) -> None:
        raise NotImplementedError

    def read_presets(self, path: Path | str) -> list[Preset]:
        raise NotImplementedError

    def loading_instructions(self) -> list[str]:
        return []


class LoadsSlowly(Hostile):
    def prepare(self) -> None:
        time.sleep(1.5)


class DoesNotLoad(Hostile):
    def prepare(self) -> None:
        raise UserError("there is no plug-in")


class DiesLoading(Hostile):
    def prepare(self) -> None:
        os._exit(7)


class CannotTravel(Hostile):
    def __reduce__(self) -> Any:
        raise TypeError("I stay here")


def do(deed: str, audio: Audio) -> Any:
    match deed:
        case "slow":
            time.sleep(0.02)
        case "print":
            os.write(1, b"chatter of a plug-in\n")
        case "raise":
            raise RenderError("broken on purpose")
        case "sys.exit":
            sys.exit(3)
        case "exit":
            os._exit(3)
        case "exit as if all was well":
            os._exit(0)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            ctypes.string_at(0)
        case "abort":
            os.abort()
        case "sleep":
            time.sleep(30)
        case "loop":
            while True:
                pass
        case "deadlock":
            deadlock()
    return spoilt(deed, audio)


def spoilt(deed: str, audio: Audio) -> Any:
    match deed:
        case "nan":
            audio[0, 100] = np.nan
        case "inf":
            audio[0, -1] = np.inf
        case "short":
            return audio[:, 1:]
        case "long":
            return np.pad(audio, ((0, 0), (0, 1)))
        case "flat":
            return audio[0]
        case "integers":
            return audio.astype(np.int16)
        case "nothing":
            return None
        case "no channels":
            return audio[:0]
    return audio


def deadlock() -> None:
    """Stand still in foreign code with Python's global lock held: no signal handler, no other thread ever runs."""
    library = ctypes.PyDLL(None)
    mutex = ctypes.create_string_buffer(64)
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)


def first_value(audio: Audio) -> float:
    return float(audio[0, 0])


def process(audio: Audio) -> int:
    return os.getpid()


def big(audio: Audio) -> bytes:
    return bytes(4_000_000)


def division(audio: Audio) -> float:
    return 1 / 0


def leave(audio: Audio) -> None:
    sys.exit(3)


def unpicklable(audio: Audio) -> object:
    return lambda: audio


def environment(audio: Audio) -> dict[str, str]:
    return dict(os.environ)


def pools(audio: Audio) -> list[int]:
    """Threads of each library for linear algebra in this process."""
    from threadpoolctl import threadpool_info

    return [pool["num_threads"] for pool in threadpool_info()]


def both_at_work(renderer: Renderer) -> list[int]:
    """The two worker processes, as soon as both have loaded."""
    workers: set[int] = set()
    while len(workers) < 2:
        workers = {pid for pid in renderer.map([patch("slow")] * 4, SOUND, process) if isinstance(pid, int)}
    return sorted(workers)


class Heavy:
    """What follows a render, with something to carry; notes in a file each time that it arrives somewhere."""

    def __init__(self, log: Path, load: float) -> None:
        self.log, self.load = log, np.full(100_000, load)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        with self.log.open("a") as file:
            file.write(f"{os.getpid()}\n")

    def __call__(self, audio: Audio) -> float:
        return float(audio[0, 0] + self.load[0])
