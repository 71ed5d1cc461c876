"""How the notes of a data set are drawn: note i is a function of (seed, i), as patch i is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from wav2patch.notes import Note
from wav2patch.parameters import Encoding

NOTE_WIDTH = 3
"""Numbers that `PaperNotes.encode` gives: pitch, start and end."""

# Patches are drawn from [seed, index, attempt]; a fourth number keeps the notes' generator apart from theirs.
_STREAM = 1
_SHORTEST = 1e-3


class NoteRule(Protocol):
    """How notes are drawn."""

    def draw(self, seed: int, index: int, attempt: int = 0) -> Note:
        """Note number `index` of the endless list that `seed` stands for."""
        ...


@dataclass(frozen=True)
class FixedNote:
    """The same note every time."""

    note: Note

    def draw(self, seed: int, index: int, attempt: int = 0) -> Note:
        """The note."""
        return self.note


@dataclass(frozen=True)
class PaperNotes:
    """Notes of Hayes et al., ISMIR 2025: any key of two octaves, pressed and released at two uniform times.

    Attributes:
        low: Lowest pitch.
        high: Highest pitch, which is drawn too.
        length: Seconds in which the note starts and ends.
        velocity: Of every note, 1 to 127.
    """

    low: int = 48
    high: int = 72
    length: float = 4.0
    velocity: int = 100

    def draw(self, seed: int, index: int, attempt: int = 0) -> Note:
        """Note number `index` of the endless list that `seed` stands for."""
        generator = np.random.default_rng([seed, index, attempt, _STREAM])
        pitch = int(generator.integers(self.low, self.high, endpoint=True))
        start, end = np.sort(generator.random(2)) * self.length
        return Note(pitch, self.velocity, float(start), float(end - start))

    def encode(self, note: Note) -> Encoding:
        """Pitch, start and end as float32 ``(3,)`` in [0, 1].

        Raises:
            ValueError: The rule never draws such a note.
        """
        end = note.onset + note.duration
        if not (self.low <= note.pitch <= self.high and note.onset >= 0 and end <= self.length * (1 + 1e-9)):
            raise ValueError(f"{note} lies outside {self}")
        pitch = (note.pitch - self.low) / (self.high - self.low)
        return np.array([pitch, note.onset / self.length, min(end / self.length, 1.0)], dtype=np.float32)

    def decode(self, encoded: NDArray[np.floating]) -> Note:
        """The note that ``(3,)`` numbers stand for; any finite numbers give one.

        The pitch is rounded to the nearest key, never truncated, the earlier of the two times is the start, and no
        note is shorter than a millisecond.

        Raises:
            ValueError: There are not three numbers, or one is not finite.
        """
        if encoded.shape != (NOTE_WIDTH,) or not np.isfinite(encoded).all():
            raise ValueError(f"a note is {NOTE_WIDTH} finite numbers, not {encoded}")
        pitch, *times = np.clip(np.asarray(encoded, dtype=np.float64), 0.0, 1.0)
        start, end = np.sort(times) * self.length
        key = int(np.floor(self.low + pitch * (self.high - self.low) + 0.5))
        return Note(key, self.velocity, float(start), max(float(end - start), _SHORTEST))
