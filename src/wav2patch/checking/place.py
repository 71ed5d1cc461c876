"""Where a synth is checked: its patches, and renderers whose workers can be counted on to be new."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wav2patch.audio.channels import to_mono
from wav2patch.metrics.loudness import integrated_loudness
from wav2patch.metrics.objective import Objective
from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.priors import draw
from wav2patch.rendering.base import Failure, Renderer, Sound
from wav2patch.synths.base import Audio, Synth

SOUND = Sound(Note(60, 100, 0.0, 1.0), 1.5, 44100)
"""What is played, but where speed is measured."""

Maker = Callable[[Synth, int], Renderer]
Report = Callable[[str, float], None]
"""Told what is being done, and what part of it is, 0 to 1."""


@dataclass(frozen=True)
class Place:
    """What every check works with.

    Attributes:
        synth: Under check.
        make: Makes a renderer with so many new workers, which may crash.
        report: Told of progress.
        seed: Of the prior's draws.
    """

    synth: Synth
    make: Maker
    report: Report
    seed: int = 0

    def patches(self, count: int, start: int = 0) -> list[Patch]:
        """Draws of the prior, from number `start` on."""
        prior = self.synth.prior()
        return [draw(prior, self.seed, start + i) for i in range(count)]

    @contextmanager
    def renderer(self, workers: int = 1) -> Iterator[Renderer]:
        """A renderer that is closed in the end."""
        renderer = self.make(self.synth, workers)
        try:
            yield renderer
        finally:
            renderer.close()

    def renders(self, renderer: Renderer, patches: Sequence[Patch]) -> list[Audio | None]:
        """Audio of each patch in order, None for those that failed."""
        results = renderer.map(patches, SOUND, as_it_is)
        return [None if isinstance(result, Failure) else result for result in results]


def as_it_is(audio: Audio) -> Audio:
    """The whole render, for `Renderer.map`."""
    return audio


@dataclass(frozen=True)
class Measured:
    """What is kept of one of many renders.

    Attributes:
        process: That made it.
        memory: Of that process, in KiB; 0 where the system does not tell.
        loudness: In LUFS.
        peak: Largest absolute sample.
        digest: Of the samples.
    """

    process: int
    memory: float
    loudness: float
    peak: float
    digest: str


@dataclass(frozen=True)
class Measure:
    """Audio to what is kept of it; travels to worker processes."""

    sample_rate: int

    def __call__(self, audio: Audio) -> Measured:
        """Measure a render, and the process that made it."""
        digest = hashlib.blake2b(np.ascontiguousarray(audio).tobytes(), digest_size=8).hexdigest()
        loudness = integrated_loudness(audio, self.sample_rate)
        return Measured(os.getpid(), memory_of_this_process(), loudness, float(np.abs(audio).max()), digest)


def memory_of_this_process() -> float:
    """Resident memory in KiB; 0 where the system does not tell."""
    if not sys.platform.startswith("linux"):
        return 0.0
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def apart(target: Audio, other: Audio) -> float:
    """Distance of two renders in the objective, 0 for the same samples."""
    if np.array_equal(target, other):
        return 0.0
    return float(Objective(to_mono(target), SOUND.sample_rate)(to_mono(other)))
