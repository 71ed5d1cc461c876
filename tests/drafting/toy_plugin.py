"""A plug-in whose controls are of every kind that a draft has to tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from wav2patch.notes import Note
from wav2patch.synths.base import Audio
from wav2patch.synths.plugins.host import Control

PROGRAM, VOLUME, WAVE_1, WAVE_2, LEVEL_1, LEVEL_2, SUB, CUTOFF, NAMELESS, UNUSED, MODE, GLIDE, GATE = range(13)
OCTAVE = 20
NAMES = ("Program", "Volume", "Osc1 Wave", "Osc2 Wave", "Osc1 Level", "Osc2 Level", "Sub", "Cutoff", "", "Unused 3")
NAMES += ("Mode", "Glide", "Gate")
START = (0.0, 0.8, 0.0, 0.0, 0.8, 0.4, 0.0, 0.9, 0.0, 0.0, 0.0, 0.0, 0.0)
WAVES = ("Sine", "Square", "Saw")


class ToyHost:
    """Two oscillators, a sub oscillator behind a switch, a brightness, four modes that its texts do not tell of.

    Args:
        path: Not looked at.
        habits: Any of ``low`` (it plays an octave low, and control 20 moves it by two octaves), ``lopsided``
            (oscillator 2 is an octave higher), ``random`` (every note has its own phases), ``stuck`` (a note changes
            the next one until the plug-in is loaded anew).
    """

    def __init__(self, path: Path, habits: Sequence[str] = ()) -> None:
        self.habits = habits
        self.generator = np.random.default_rng(7)
        self.reload()

    @property
    def controls(self) -> Sequence[Control]:
        steps = {PROGRAM: 3, WAVE_1: 3, WAVE_2: 3}
        usual = tuple(Control(i, name, "", steps.get(i, 0), START[i]) for i, name in enumerate(NAMES))
        return (*usual, Control(OCTAVE, "Octave")) if "low" in self.habits else usual

    def clear(self) -> None:
        pass

    def reload(self) -> None:
        self.values = dict(enumerate(START)) | {OCTAVE: 0.0}
        self.stuck = 0.0

    def set(self, values: Mapping[int, float]) -> None:
        assert PROGRAM not in values, "setting the program would change all the others"
        for index, value in values.items():
            self.values[index] = value

    def get(self, index: int) -> float:
        return self.values[index]

    def text(self, index: int, value: float) -> str:
        assert index != PROGRAM
        if index in (WAVE_1, WAVE_2):
            return WAVES[min(int(value * 3), 2)]
        return f"{20 * 1000**value:.0f} Hz" if index == CUTOFF else f"{value:.4f}"

    def settle(self, seconds: float, *, sample_rate: int) -> None:
        pass

    def play(self, note: Note, *, length: float, sample_rate: int) -> Audio:
        times = np.arange(round(length * sample_rate)) / sample_rate
        values, angle = self.values, 2 * np.pi * note.frequency * times
        if "low" in self.habits:
            angle = angle * 2 ** (2 * values[OCTAVE] - 1)
        phases = self.generator.random(2) * 6 if "random" in self.habits else np.zeros(2)
        second = 2 * angle if "lopsided" in self.habits else angle
        sound = values[LEVEL_1] * wave(angle + phases[0], values[WAVE_1])
        sound += values[LEVEL_2] * wave(second + phases[1], values[WAVE_2])
        sound += 0.5 * (values[SUB] > 0) * np.sin(angle / 2)
        sound += 0.3 * values[CUTOFF] * np.sin(9 * angle) + 0.2 * np.sin((11 + int(values[MODE] * 3.999)) * angle)
        sound *= values[VOLUME] * (times < note.duration) * (values[GATE] < 0.75)
        sound += self.stuck * np.sin(3 * angle)
        self.stuck += 0.05 * values[LEVEL_1] * ("stuck" in self.habits)
        return np.stack([sound, sound]).astype(np.float32)

    def read_state(self) -> bytes:
        return b""

    def write_state(self, state: bytes) -> None:
        raise ValueError("it has no presets")


def wave(angle: np.ndarray, kind: float) -> np.ndarray:
    partials = (np.sin(angle), np.sin(angle) + np.sin(3 * angle) / 3, np.sin(angle) + np.sin(2 * angle) / 2)
    return partials[min(int(kind * 3), 2)]
