"""Vital as a synth: what is rendered, written and read."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from wav2patch.files import write_text
from wav2patch.notes import Note
from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.synths.base import Audio, Preset, RenderError, from_onset
from wav2patch.synths.vital.base_preset import BasePreset
from wav2patch.synths.vital.document import VERSION, init_document, modern, read_document
from wav2patch.synths.vital.noise import noise_json, nothing_json
from wav2patch.synths.vital.player import CAN_FORK, Player, play_once
from wav2patch.synths.vital.prior import VitalPrior
from wav2patch.synths.vital.reader import read_patch
from wav2patch.synths.vital.settings import sounding
from wav2patch.synths.vital.space import vital_space

# Nine in ten draws of the prior then peak below full scale, at −18 LUFS in the median.
GAIN = 1.6


class Vital:
    """Vital, rendered by its own engine.

    Args:
        base: A ``.vital`` file to start from. Its wavetables, LFO shapes, sample, macros, further modulations and all
            else that the space does not cover are kept: patches change what they cover, on top of it.

    Raises:
        UserError: The base is missing or no preset of Vital.
    """

    name = "vital"
    title = "Vital"
    preset_suffix = ".vital"
    bank_name = None
    releases_gil = True
    may_crash = False
    noise_floor = 0.0

    def __init__(self, base: Path | str | None = None) -> None:
        self._base = BasePreset.read(base) if base is not None else None
        self._players = threading.local()

    def __getstate__(self) -> dict[str, Any]:
        return {"_base": self._base}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._base = state["_base"]
        self._players = threading.local()

    @property
    def space(self) -> ParameterSpace:
        """The 158 parameters of a patch."""
        # What a base adds may make anything heard that a patch alone would leave silent.
        return vital_space() if self._base is None else self._base.space

    def missing(self) -> None:
        """Nothing: the engine comes with the package."""

    def versions(self) -> Mapping[str, str]:
        """The engine's version."""
        return {"vita": metadata.version("vita")}

    def prior(self) -> VitalPrior:
        """Patches of the kinds that people keep: basses, leads, pads, plucks, keys and effects."""
        return VitalPrior(self.space)

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        """Render one note; float32 ``(2, samples)``. See `Synth.render`."""
        self.space.validate(patch)
        return from_onset(
            lambda count: GAIN * self._play(patch, note, count, sample_rate), 2, note, length, sample_rate
        )

    def _play(self, patch: Patch, note: Note, samples: int, sample_rate: int) -> Audio:
        preset = json.dumps({"synth_version": VERSION, "settings": self._settings(patch)})
        if CAN_FORK:
            audio = self._player(sample_rate).play(preset, note, samples)
        else:
            audio = play_once(self._start(), preset, note, samples, sample_rate)
        if not np.isfinite(audio).all():
            raise RenderError("Vital returned audio with values that are not numbers")
        return audio

    def _settings(self, patch: Patch) -> dict[str, Any]:
        """What is set for one render, without wavetables, which the engine has from the start."""
        settings = sounding(patch) if self._base is None else self._base.settings(patch)
        sample = noise_json() if self._base is None else settings["sample"]
        return settings | {"sample": sample if settings["sample_on"] else nothing_json()}

    def _start(self) -> str:
        return json.dumps(init_document() if self._base is None else self._base.document)

    def _player(self, sample_rate: int) -> Player:
        """This thread's own player."""
        player: Player | None = getattr(self._players, "player", None)
        if player is None or not player.fits(sample_rate):
            if player is not None:
                player.close()
            player = self._players.player = Player(self._start(), sample_rate)
        return player

    def write_preset(self, patch: Patch, path: Path | str, *, name: str = "wav2patch") -> None:
        """Write a ``.vital`` file, which Vital and Vitalium open; with a base, that file with the patch's values."""
        self.space.validate(patch)
        document = initial().with_patch(patch) if self._base is None else self._base.with_patch(patch)
        write_text(Path(path), json.dumps({**document, "preset_name": name}))

    def write_bank(self, patches: Sequence[Patch], path: Path | str, names: Sequence[str]) -> None:
        """Vital has no banks.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("Vital has no banks of presets")

    def read_presets(self, path: Path | str) -> list[Preset]:
        """The preset of a ``.vital`` file, with what a patch cannot hold of it."""
        document = modern(read_document(path))
        reading = read_patch(document)
        return [Preset(str(document.get("preset_name") or Path(path).stem), reading.patch, reading.dropped)]

    def loading_instructions(self) -> list[str]:
        """How to open the file in Vital and in Vitalium."""
        return [
            "Vital (the free edition does): drop the .vital file on Vital's window, or click the name of the preset at "
            "the top, choose “Open External Preset” and pick it.",
            "To find it in Vital's own list, put it into the folder Vital/User/Presets of your documents.",
            "Vitalium: open the menu beside the preset's name, choose “Open External Preset” and pick the file.",
        ]


@cache
def initial() -> BasePreset:
    """The preset that ours start from when there is no base."""
    document = init_document()
    return BasePreset(document, read_patch(document))
