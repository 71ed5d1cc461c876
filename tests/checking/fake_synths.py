"""Synths that break their contract, each in one way.

In a module, so that worker processes can import it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.parameters import Continuous, ParameterSpace, Patch
from wav2patch.priors import Prior, UniformPrior
from wav2patch.synths.base import Audio, Preset, RenderError


class Good:
    """A sine with an overtone."""

    name = title = "good"
    preset_suffix = ".json"
    bank_name = None
    releases_gil = False
    may_crash = False
    noise_floor = 0.0
    space = ParameterSpace((Continuous("level", 0.1, 1.0, 0.5), Continuous("tone", default=0.5)))

    def missing(self) -> str | None:
        return None

    def versions(self) -> dict[str, str]:
        return {"good": "1"}

    def prior(self) -> Prior:
        return UniformPrior(self.space)

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        times = np.arange(round(length * sample_rate)) / sample_rate
        angle = 2 * np.pi * note.frequency * times
        sound = patch[0] * (np.sin(angle) + patch[1] * np.sin(2 * angle)) * (times < note.duration)
        return sound[None].astype(np.float32)

    def write_preset(self, patch: Patch, path: Path | str, *, name: str = "wav2patch") -> None:
        Path(path).write_text(json.dumps([name, *patch.tolist()]))

    def write_bank(self, patches: Sequence[Patch], path: Path | str, names: Sequence[str]) -> None:
        raise NotImplementedError

    def read_presets(self, path: Path | str) -> list[Preset]:
        name, *values = json.loads(Path(path).read_text())
        return [Preset(name, np.array(values))]

    def loading_instructions(self) -> Sequence[str]:
        return ()


class Leaking(Good):
    """Some of the note before sounds on."""

    name = "leaking"
    _before = 0.0

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        audio = super().render(patch, note, length=length, sample_rate=sample_rate)
        leaked = audio + np.float32(0.1 * self._before) * np.sin(0.1 * np.arange(audio.shape[1]), dtype=np.float32)
        self._before = float(patch[1])
        return leaked


class Random(Good):
    """Every render has a level of its own, 1.4 dB or more from the one before, and another one in every process."""

    name = "random"

    def __init__(self) -> None:
        super().__init__()
        self.played = 0

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        audio = super().render(patch, note, length=length, sample_rate=sample_rate)
        self.played += 1
        turned_down = (0.618 * self.played + 0.123 * os.getpid()) % 1.0
        return audio * np.float32(10 ** (-6 * turned_down / 20))


class Silent(Good):
    """Half of the patches are silent."""

    name = "silent"

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        audio = super().render(patch, note, length=length, sample_rate=sample_rate)
        return audio * np.float32(patch[1] > 0.5)


class Failing(Good):
    """A fifth of the patches cannot be rendered."""

    name = "failing"

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        if patch[1] > 0.8:
            raise RenderError("it cannot")
        return super().render(patch, note, length=length, sample_rate=sample_rate)


class Crashing(Good):
    """A fifth of the patches end the process."""

    name = "crashing"

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        if patch[1] > 0.8:
            os._exit(9)
        return super().render(patch, note, length=length, sample_rate=sample_rate)


class Forgetful(Good):
    """Its preset files do not hold the tone."""

    name = "forgetful"

    def read_presets(self, path: Path | str) -> list[Preset]:
        (preset,) = super().read_presets(path)
        return [Preset(preset.name, np.array([preset.patch[0], 0.5]))]


class Unreadable(Good):
    """Its preset files cannot be read."""

    name = "unreadable"

    def read_presets(self, path: Path | str) -> list[Preset]:
        raise UserError(f"{path} is damaged.")


class Absent(Good):
    """Not installed."""

    name = "absent"

    def missing(self) -> str | None:
        return "Absent is not installed: install it."
