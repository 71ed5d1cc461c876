"""What every synth offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wav2patch.notes import Note
from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.priors import Prior

Audio = NDArray[np.float32]


class RenderError(Exception):
    """One render went wrong; the next one may well succeed."""


@dataclass(frozen=True, eq=False)
class Preset:
    """One patch of a preset file.

    Attributes:
        name: As the file gives it.
        patch: ``(P,)``.
        dropped: What the file sets and the parameter space does not cover, a phrase each; a render of `patch`
            sounds without it.
    """

    name: str
    patch: Patch
    dropped: tuple[str, ...] = ()


class Synth(Protocol):
    """Something that renders audio from a patch and a note.

    A render depends on its arguments alone: nothing is left over from the render before.

    A synth is pickled into worker processes, so its engine is made where it first renders, and never travels. Two
    more things are optional: a method ``prepare() -> None`` that loads the engine, called as a worker starts and
    outside of any render's deadline; and ``max_tasks: int | None``, renders after which a worker is replaced, for an
    engine that leaks memory.
    """

    @property
    def name(self) -> str:
        """Short name, as the command line takes it."""
        ...

    @property
    def title(self) -> str:
        """Name for people, with what the preset files open in."""
        ...

    @property
    def space(self) -> ParameterSpace:
        """The parameters of a patch."""
        ...

    @property
    def preset_suffix(self) -> str:
        """Ending of its preset files, dot included."""
        ...

    @property
    def bank_name(self) -> str | None:
        """File name for a bank of several presets, None where the synth has no banks."""
        ...

    @property
    def releases_gil(self) -> bool:
        """Whether renders in several threads run side by side."""
        ...

    @property
    def may_crash(self) -> bool:
        """Whether the engine may end the process or never return, so that it belongs in worker processes."""
        ...

    @property
    def noise_floor(self) -> float:
        """Distance of two renders of one patch, in the objective's unit; 0 for a deterministic engine."""
        ...

    def missing(self) -> str | None:
        """What keeps it from rendering on this machine and what to do, a sentence; None where nothing does."""
        ...

    def versions(self) -> Mapping[str, str]:
        """Names and versions of what renders, for the record of a match."""
        ...

    def prior(self) -> Prior:
        """The prior that ships with the synth."""
        ...

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        """Render one note.

        Args:
            patch: ``(P,)``, in the synth's own units.
            note: What is played.
            length: Seconds of audio to return, onset included.
            sample_rate: In Hz, 16,000 or more.

        Returns:
            Float32 ``(channels, round(length * sample_rate))``, finite; 1.0 is full scale, and louder patches go
            beyond it.

        Raises:
            UserError: A value of the patch is out of range.
            RenderError: The engine failed on this patch.
        """
        ...

    def write_preset(self, patch: Patch, path: Path | str, *, name: str = "wav2patch") -> None:
        """Write a preset file that the synth itself opens."""
        ...

    def write_bank(self, patches: Sequence[Patch], path: Path | str, names: Sequence[str]) -> None:
        """Write several presets to one file, where the synth has such a format.

        Raises:
            NotImplementedError: It has none; `bank_name` is None.
        """
        ...

    def read_presets(self, path: Path | str) -> Sequence[Preset]:
        """The presets of a file, one or many.

        Raises:
            UserError: The file is missing or not a preset of this synth.
        """
        ...

    def loading_instructions(self) -> Sequence[str]:
        """How to open a preset file in the synth, a step a line."""
        ...


def from_onset(
    play: Callable[[int], NDArray[np.floating]], channels: int, note: Note, length: float, sample_rate: int
) -> Audio:
    """A render that is silent up to the note's onset.

    Args:
        play: Plays the note at once, for so many samples; ``(channels, samples)`` or, of one channel, ``(samples,)``.
            Not called where the onset lies beyond the end.
        channels: Of the render.
        note: Whose onset counts.
        length: Seconds of the render, onset included.
        sample_rate: In Hz.
    """
    samples = round(length * sample_rate)
    start = min(round(note.onset * sample_rate), samples)
    audio = np.zeros((channels, samples), dtype=np.float32)
    if start < samples:
        audio[:, start:] = play(samples - start)
    return audio
