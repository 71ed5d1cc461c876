"""Many patches to audio: one interface for every way of doing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.rendering.skip import Skipped
from wav2patch.synths.base import Audio, RenderError, Synth

T = TypeVar("T")


@dataclass(frozen=True)
class Sound:
    """What is asked of every render of a batch: the note, and how much of it to hear.

    Attributes:
        note: What is played.
        length: Seconds of audio, from 0 to the end of the render.
        sample_rate: In Hz.
    """

    note: Note
    length: float
    sample_rate: int


@dataclass(frozen=True)
class Failure:
    """A render that did not come about: it crashed, never returned, or gave something that is not audio."""

    reason: str


class Renderer(Protocol):
    """Renders many patches of one synth; a bad render costs itself and not the run."""

    @property
    def workers(self) -> int:
        """How many renders run side by side."""
        ...

    @property
    def skipped(self) -> Sequence[Skipped]:
        """Patches that are rendered no more, as each ended or hung its worker twice."""
        ...

    def map(
        self, patches: Sequence[Patch], sound: Sound | Sequence[Sound], then: Callable[[Audio], T]
    ) -> list[T | Failure]:
        """Render every patch and pass each render on, where it was made, to `then`.

        Args:
            patches: Each ``(P,)``.
            sound: What is played, and how long the renders are: the same for all, or one a patch.
            then: Reduces audio ``(channels, samples)`` to what is wanted of it, so that audio need not travel
                between processes; it must not change what it is given. Worker processes get a pickled copy.

        Returns:
            One result a patch, in the order of the patches, whatever the number of workers.

        Raises:
            ValueError: `then` has to travel to worker processes and cannot be pickled, or there are more patches
                than sounds or fewer.
        """
        ...

    def close(self) -> None:
        """Let go of the workers; the renderer is not used again."""
        ...


def each_sound(patches: Sequence[Patch], sound: Sound | Sequence[Sound]) -> Sequence[Sound]:
    """One sound a patch.

    Raises:
        ValueError: There are more patches than sounds, or fewer.
    """
    if isinstance(sound, Sound):
        return [sound] * len(patches)
    if len(sound) != len(patches):
        raise ValueError(f"{len(patches)} patches do not go with {len(sound)} sounds")
    return sound


def render_one(synth: Synth, patch: Patch, sound: Sound, then: Callable[[Audio], T]) -> T | Failure:
    """Render one patch, turning any error of the engine or of `then`, even an attempt to exit, into a `Failure`."""
    try:
        audio = synth.render(patch, sound.note, length=sound.length, sample_rate=sound.sample_rate)
        check_audio(audio, sound)
        return then(audio)
    except (Exception, SystemExit) as error:
        return Failure(f"{type(error).__name__}: {error}")


def check_audio(audio: Audio, sound: Sound) -> None:
    """Make sure that a render is what was asked for.

    Raises:
        RenderError: It is not ``(channels, samples)`` of finite floats, or not as long as `sound`.
    """
    if not isinstance(audio, np.ndarray) or audio.ndim != 2 or audio.dtype.kind != "f" or not len(audio):
        raise RenderError("the render is not an array of floats, channels by samples")
    if audio.shape[1] != (samples := round(sound.length * sound.sample_rate)):
        raise RenderError(f"the render has {audio.shape[1]} samples, and {samples} were asked for")
    if not np.isfinite(audio).all():
        raise RenderError("the render holds values that are not finite numbers")
