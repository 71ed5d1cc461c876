"""How the notes of a data set are drawn: note i is a function of (seed, i), as patch i is.

Every rule has words that a manifest can hold, such as ``paper low=48 high=72 length=4 velocity=100``, and `parse_notes`
reads them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wav2patch.errors import UserError
from wav2patch.notes import Note, parse_pitch
from wav2patch.parameters import Encoding
from wav2patch.spelling import read_number, read_options, spell

NOTE_WIDTH = 3
"""Numbers that `PaperNotes.encode` gives: pitch, start and end."""

# Patches are drawn from [seed, index, attempt]; a fourth number keeps the notes' generator apart from theirs.
_STREAM = 1
_SHORTEST = 1e-3


class NoteRule(Protocol):
    """How notes are drawn."""

    @property
    def words(self) -> str:
        """The rule in words; `parse_notes` gives an equal one back."""
        ...

    def draw(self, seed: int, index: int, attempt: int = 0) -> Note:
        """Note number `index` of the endless list that `seed` stands for."""
        ...


@dataclass(frozen=True)
class FixedNote:
    """The same note every time."""

    note: Note

    @property
    def words(self) -> str:
        """``fixed`` and all fields of the note."""
        return _words("fixed", self.note)

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

    Raises:
        ValueError: A range is empty, or goes beyond what a note can have.
    """

    low: int = 48
    high: int = 72
    length: float = 4.0
    velocity: int = 100

    def __post_init__(self) -> None:
        _check_range("pitch", self.low, self.high, 0, 127)
        _check_range("velocity", self.velocity, self.velocity, 1, 127)
        _check_seconds(length=self.length)

    @property
    def words(self) -> str:
        """``paper`` and all fields."""
        return _words("paper", self)

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
        if not (self.low <= note.pitch <= self.high and note.onset >= 0 and end <= self.length * (1 + 1e-6)):
            raise ValueError(f"{note} lies outside {self}")
        pitch = (note.pitch - self.low) / max(self.high - self.low, 1)
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


@dataclass(frozen=True)
class WideNotes:
    """Notes as music has them, and beyond: any key of six octaves, soft to loud, short to long.

    Pitch and velocity are uniform. Durations are uniform in their logarithm: as many notes last from 0.1 s to 0.2 s as
    from 1 s to 2 s, so that a model hears struck and held ones alike. The longest, 3 s, is three quarters of a clip of
    4 s, which leaves a second for the release.

    Attributes:
        low: Lowest pitch; 24 is C1.
        high: Highest pitch, which is drawn too; 96 is C7.
        softest: Lowest velocity; below 16 many patches are silent.
        loudest: Highest velocity, which is drawn too.
        latest: Latest onset in seconds, uniform from 0; 0 for notes that all start at once.
        shortest: Shortest duration in seconds.
        longest: Longest duration in seconds.

    Raises:
        ValueError: A range is empty, or goes beyond what a note can have.
    """

    low: int = 24
    high: int = 96
    softest: int = 16
    loudest: int = 127
    latest: float = 0.0
    shortest: float = 0.1
    longest: float = 3.0

    def __post_init__(self) -> None:
        _check_range("pitch", self.low, self.high, 0, 127)
        _check_range("velocity", self.softest, self.loudest, 1, 127)
        _check_seconds(shortest=self.shortest, longest=self.longest)
        if not (math.isfinite(self.latest) and self.latest >= 0):
            raise ValueError(f"the latest onset is 0 s or later, not {spell(self.latest)} s")
        if self.shortest > self.longest:
            raise ValueError(
                f"the shortest duration, {spell(self.shortest)} s, is above the longest, {spell(self.longest)} s"
            )

    @property
    def words(self) -> str:
        """``wide`` and all fields."""
        return _words("wide", self)

    def draw(self, seed: int, index: int, attempt: int = 0) -> Note:
        """Note number `index` of the endless list that `seed` stands for."""
        generator = np.random.default_rng([seed, index, attempt, _STREAM])
        pitch = int(generator.integers(self.low, self.high, endpoint=True))
        velocity = int(generator.integers(self.softest, self.loudest, endpoint=True))
        onset = self.latest * float(generator.random())
        duration = self.shortest * (self.longest / self.shortest) ** float(generator.random())
        return Note(pitch, velocity, onset, min(duration, self.longest))


def _check_range(what: str, low: int, high: int, least: int, most: int) -> None:
    if not (least <= low <= high <= most and low == int(low) and high == int(high)):
        found = f"{low}" if low == high else f"{low} to {high}"
        raise ValueError(f"a {what} is a whole number from {least} to {most}, the lowest first, not {found}")


def _check_seconds(**lengths: float) -> None:
    for name, value in lengths.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} is a number of seconds above 0, not {spell(value)}")


_PITCHES = ("pitch", "low", "high")
_FORMS = (
    "a note such as C4 or 60, or fixed, paper or wide with options, as in “paper low=48 high=72 length=4 velocity=100”"
)


def _fixed(**values: Any) -> FixedNote:
    return FixedNote(Note(**values))


_RULES: MappingProxyType[str, tuple[type, Callable[..., NoteRule]]] = MappingProxyType(
    {"fixed": (Note, _fixed), "paper": (PaperNotes, PaperNotes), "wide": (WideNotes, WideNotes)}
)
"""For the name of every rule, the dataclass with its options, and what makes it."""


_LASTING = {"fixed": ("duration", 0.75), "paper": ("length", 1.0), "wide": ("longest", 0.75)}
"""For the name of every rule, the option that clips of another length change, and its part of a clip."""


def parse_notes(words: str, length: float | None = None) -> NoteRule:
    """The rule that words describe; options that are left out take their defaults.

    Args:
        words: ``C4`` or ``60`` for that note every time; ``fixed``, ``paper`` or ``wide``, each with any of its fields
            as ``name=value``. Pitches may be names of notes, everything else is a number.
        length: Seconds of the clips, for durations that are left out: notes of ``paper`` then lie anywhere in a clip,
            others end after three quarters of it at most.

    Raises:
        UserError: There is no such rule or option, or a value is out of its range.
    """
    name, *texts = words.split() or [""]
    if name not in _RULES:
        name, texts = "fixed", [f"pitch={_known_note(name, words)}", *texts]
    options, make = _RULES[name]
    types = {field.name: str(field.type) for field in fields(options)}
    given = {option: _value(option, text, types[option]) for option, text in read_options(texts, types, name).items()}
    fitting = {} if length is None else {_LASTING[name][0]: _LASTING[name][1] * length}
    try:
        return make(**(fitting | given))
    except ValueError as error:
        raise UserError(f"{words!r} draws no notes: {error}.") from None


def _known_note(name: str, words: str) -> int:
    try:
        return parse_pitch(name)
    except UserError:
        raise UserError(f"{words!r} is no rule for notes: give {_FORMS}.") from None


def _value(option: str, text: str, kind: str) -> float:
    if option in _PITCHES:
        return parse_pitch(text)
    value = read_number(text)
    if value is None or (kind == "int" and value != int(value)):
        raise UserError(f"{option} takes a {'whole ' * (kind == 'int')}number, not {text!r}.")
    return int(value) if kind == "int" else value


def _words(name: str, options: Any) -> str:
    return " ".join([name, *(f"{field.name}={spell(getattr(options, field.name))}" for field in fields(options))])
