"""Notes: what is played, and for how long."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from wav2patch.errors import UserError

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_SPELLING = re.compile(r"([A-Ga-g])([#b♯♭]?)(-?\d)")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}


@dataclass(frozen=True)
class Note:
    """One key press.

    Attributes:
        pitch: MIDI number, 0–127; 60 is middle C (C4), 69 is A4 = 440 Hz.
        velocity: 1–127.
        onset: Seconds from the start of the render to the key press.
        duration: Seconds from key press to key release.

    Raises:
        ValueError: A field is out of its range.
    """

    pitch: int = 60
    velocity: int = 100
    onset: float = 0.0
    duration: float = 3.0

    def __post_init__(self) -> None:
        if not (0 <= self.pitch <= 127 and self.pitch == int(self.pitch)):
            raise ValueError(f"a note's pitch is a whole MIDI number from 0 to 127, not {self.pitch}")
        if not 1 <= self.velocity <= 127:
            raise ValueError(f"a note's velocity lies between 1 and 127, not {self.velocity}")
        if not (math.isfinite(self.onset) and self.onset >= 0):
            raise ValueError(f"a note's onset is 0 s or later, not {self.onset}")
        if not (math.isfinite(self.duration) and self.duration > 0):
            raise ValueError(f"a note lasts longer than 0 s, not {self.duration}")

    @property
    def frequency(self) -> float:
        """Frequency of the pitch in Hz, equal temperament at A4 = 440 Hz."""
        return midi_to_hz(self.pitch)


def midi_to_hz(pitch: float) -> float:
    """Frequency in Hz of a (possibly fractional) MIDI number."""
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


def hz_to_midi(frequency: float) -> float:
    """Fractional MIDI number of a frequency in Hz (> 0)."""
    return 69.0 + 12.0 * math.log2(frequency / 440.0)


def pitch_name(pitch: int) -> str:
    """Name of a MIDI number with middle C as C4: 60 → ``"C4"``, 58 → ``"A#3"``."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def parse_pitch(text: str) -> int:
    """MIDI number of ``"60"``, ``"C4"``, ``"F#2"``, ``"Bb3"``.

    Raises:
        UserError: The text is neither a MIDI number from 0 to 127 nor a note name.
    """
    spelled = _SPELLING.fullmatch(text.strip())
    if spelled:
        letter, accidental, octave = spelled.groups()
        pitch = _STEPS[letter.upper()] + _ACCIDENTALS[accidental] + 12 * (int(octave) + 1)
    elif text.strip().isdecimal():
        pitch = int(text)
    else:
        pitch = -1
    if not 0 <= pitch <= 127:
        raise UserError(f"{text!r} is not a note: give a MIDI number from 0 to 127 or a name such as C4 or F#2.")
    return pitch
