"""Where patches of a plug-in are heard while its spec is drafted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from wav2patch.drafting.hearing import Ear, Heard, Tuner
from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.rendering.base import Failure, Renderer, Sound
from wav2patch.synths.plugins.spec import PluginSpec

SOUND = Sound(Note(60, 100, 0.0, 0.9), 1.5, 44100)
"""What is played: long enough for envelopes to be told apart, with some of the release."""

SILENT_DB = -55.0
_CHUNK = 32

Maker = Callable[[PluginSpec, int | None], Renderer]
"""A renderer of a spec with so many workers, one a core where it is not said."""

Report = Callable[[str, float], None]
"""Told what is being done, and what part of it is, 0 to 1."""


class Bench:
    """Renders patches of one synth and listens to them.

    Args:
        renderer: Of that synth.
        report: Told of progress.
        sound: What is played.
    """

    def __init__(self, renderer: Renderer, report: Report, sound: Sound | None = None) -> None:
        self._renderer, self._report, self._sound = renderer, report, sound or SOUND
        self.renders = 0
        self.failures: list[str] = []

    def hear(
        self, patches: Sequence[Patch], stage: str = "", start: float = 0.0, end: float = 1.0
    ) -> list[Heard | None]:
        """Every patch's render in order; None for one that failed.

        Args:
            patches: Each ``(P,)``.
            stage: What is being done, for the progress; nothing is reported without.
            start: Part of the stage that is done before.
            end: Part of the stage that is done after.
        """
        found: list[Heard | None] = []
        for at in range(0, len(patches), _CHUNK):
            results = self._renderer.map(patches[at : at + _CHUNK], self._sound, Ear(self._sound.sample_rate))
            self.failures += [result.reason for result in results if isinstance(result, Failure)]
            found += [None if isinstance(result, Failure) else result for result in results]
            if stage:
                self._report(stage, start + (end - start) * min(len(found) / len(patches), 1.0))
        self.renders += len(patches)
        return found

    def off_key(self, patches: Sequence[Patch]) -> list[float | None]:
        """How far each patch's pitch is from the key that is played, in cents; None without a pitch."""
        tuner = Tuner(self._sound.sample_rate, self._sound.note.frequency)
        results = self._renderer.map(patches, self._sound, tuner)
        self.renders += len(patches)
        return [None if isinstance(result, Failure) else result for result in results]

    def tell(self, stage: str, part: float) -> None:
        """Report progress."""
        self._report(stage, part)


@contextmanager
def bench(spec: PluginSpec, make: Maker, report: Report, workers: int | None = None) -> Iterator[Bench]:
    """A bench whose workers are let go at the end."""
    renderer = make(spec, workers)
    try:
        yield Bench(renderer, report)
    finally:
        renderer.close()


def is_silent(heard: Heard) -> bool:
    """Whether nothing of a render can be heard in its first moments."""
    return heard.level < SILENT_DB


def changed(patch: Patch, place: int, value: float) -> Patch:
    """A copy with one value changed."""
    copy = np.array(patch)
    copy[place] = value
    return copy
