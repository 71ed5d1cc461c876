"""A plug-in made of a few sines, with the bad habits of real ones to choose from."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from wav2patch.notes import Note
from wav2patch.synths.base import Audio
from wav2patch.synths.plugins import vstpreset
from wav2patch.synths.plugins.host import Control

LEVEL, TYPE, TONE, SIZE, FATE = range(5)
NAMES = ("Level", "Type", "Tone", "Size", "Fate")
START = (0.8, 0.0, 0.3, 0.25, 0.0)
CLASS_ID = b"0123456789ABCDEF0123456789ABCDEF"
# What Fate does at these values as soon as it takes effect.
EXITS, HANGS, NOT_A_NUMBER = 1.0, 0.9, 0.8


class FakeHost:
    """See `Host`. Values take effect with the next block, as in real plug-ins.

    Args:
        path: Not looked at.
        habits: Any of ``phase`` (the oscillator goes on from the note before, until it is cleared), ``tail`` (the note
            before fades within 0.5 s, and cannot be cleared), ``stuck`` (every note changes the next until the plug-in
            is loaded anew), ``cold`` (the first note after loading is louder), ``types`` (a new type gives Tone and
            Size values of its own, even where they are set in the same block), ``silent`` (loaded presets are not
            reported), ``meets`` (a new type and a note in one block raise an error).
    """

    def __init__(self, path: Path, habits: Sequence[str] = ()) -> None:
        self.habits = habits
        self.log: list[str] = []
        self.home = os.environ.get("HOME", "")
        self._open()

    def _open(self) -> None:
        self.inner, self.reported = list(START), list(START)
        self.pending: dict[int, float] = {}
        self.phase = self.tail = self.stuck = 0.0
        self.warm = "cold" not in self.habits

    @property
    def controls(self) -> Sequence[Control]:
        return tuple(Control(i, name, default=START[i]) for i, name in enumerate(NAMES))

    def clear(self) -> None:
        self.log.append("clear")
        self.phase = 0.0

    def reload(self) -> None:
        self.log.append("reload")
        self._open()

    def set(self, values: Mapping[int, float]) -> None:
        self.log.append(f"set {sorted(values)}")
        self.pending |= values
        for index, value in values.items():
            self.reported[index] = value

    def get(self, index: int) -> float:
        return self.reported[index]

    def text(self, index: int, value: float) -> str:
        return f"{value:.2f}"

    def settle(self, seconds: float, *, sample_rate: int) -> None:
        if seconds > 0:
            self.log.append(f"settle {seconds:g}")
            self._take()
            self.tail *= max(0.0, 1 - seconds / 0.5)

    def play(self, note: Note, *, length: float, sample_rate: int) -> Audio:
        self.log.append("play")
        if "meets" in self.habits and self.pending.get(TYPE, self.inner[TYPE]) != self.inner[TYPE]:
            raise RuntimeError("a new type met a note")
        self._take()
        times = np.arange(round(length * sample_rate)) / sample_rate
        level, kind, tone, size, fate = self.inner
        angle = 2 * np.pi * note.frequency * times + self.phase
        left = level * note.velocity / 127 * (np.sin(angle) + tone * np.sin(2 * angle) + kind * np.sin(3 * angle))
        audio = np.stack([left * (times < note.duration), size * left]) + self.tail + self.stuck
        if "phase" in self.habits:
            self.phase += 1.0
        if "tail" in self.habits:
            self.tail += 0.1 * level
        if "stuck" in self.habits:
            self.stuck += 0.1 * level
        audio, self.warm = audio * (1 if self.warm else 2), True
        return (audio * (np.nan if fate == NOT_A_NUMBER else 1.0)).astype(np.float32)

    def read_state(self) -> bytes:
        chunk = json.dumps(self.inner).encode()
        return vstpreset.to_bytes(vstpreset.VstPreset(CLASS_ID, ((b"Comp", chunk), (b"Cont", b""))))

    def write_state(self, state: bytes) -> None:
        preset = vstpreset.from_bytes(state)
        if preset.class_id != CLASS_ID:
            raise ValueError("it is another plug-in's")
        self.inner = json.loads(preset.chunk(b"Comp") or b"")
        if "silent" not in self.habits:
            self.reported = list(self.inner)

    def _take(self) -> None:
        before = self.inner[TYPE]
        for index, value in self.pending.items():
            self.inner[index] = value
        self.pending.clear()
        if "types" in self.habits and self.inner[TYPE] != before:
            self.inner[TONE], self.inner[SIZE] = 0.1 + self.inner[TYPE], 0.5 + self.inner[TYPE] / 4
        if self.inner[FATE] == EXITS:
            os._exit(3)
        if self.inner[FATE] == HANGS:
            time.sleep(60)
