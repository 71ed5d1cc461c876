"""Plays patches on one loaded plug-in, set in the order in which it wants to be set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.synths.base import Audio, RenderError
from wav2patch.synths.plugins.host import Host, HostError, HostMaker
from wav2patch.synths.plugins.private import private_environment, private_folder
from wav2patch.synths.plugins.spec import PluginSpec

_USUAL_RATE = 44100
_SETTLED = 0.1


class Player:
    """One loaded plug-in and what it was like when it was loaded.

    Args:
        spec: Of the plug-in.
        path: Of its file or bundle.
        open_host: Loads it.

    Raises:
        UserError: The plug-in's controls are not those of the spec.
        HostError: It cannot be loaded.
    """

    def __init__(self, spec: PluginSpec, path: Path, open_host: HostMaker) -> None:
        self.spec = spec
        with private_environment(private_folder(self), spec.environment):
            self.host: Host = open_host(path)
            self.host.settle(spec.setting.settle, sample_rate=_USUAL_RATE)
        self.names = {control.index: control.name for control in self.host.controls}
        self.base = {control.index: control.default for control in self.host.controls}
        _check_controls(spec, self.names)
        self._warm_up()

    def values(self, patch: Patch) -> dict[int, float]:
        """What every knob's and every fixed control is set to, by the control's place."""
        fixed = {fixed.index: fixed.value for fixed in self.spec.fixed}
        return fixed | {k.index: k.normalised(v) for k, v in zip(self.spec.knobs, patch.tolist(), strict=True)}

    def play(self, patch: Patch, note: Note, samples: int, sample_rate: int) -> Audio:
        """Set a patch ``(P,)`` and play a note at once; float32 ``(2, samples)``.

        Raises:
            RenderError: What came back is not audio of that length.
        """
        self.set(patch, sample_rate)
        audio = self.host.play(note, length=samples / sample_rate, sample_rate=sample_rate)
        if audio.shape != (2, samples) or not math.isfinite(float(audio.sum(dtype=float))):
            raise RenderError(f"{self.spec.title} returned audio of a wrong length or with values that are not numbers")
        return audio

    def set(self, patch: Patch, sample_rate: int = _USUAL_RATE) -> None:
        """Bring the plug-in back to where it was, then set it to a patch ``(P,)``, types first."""
        setting, host, values = self.spec.setting, self.host, self.values(patch)
        if setting.reload:
            host.reload()
        elif setting.reset:
            host.clear()
        host.settle(setting.flush, sample_rate=sample_rate)
        if setting.first:
            host.set({index: values.pop(index) for index in setting.first})
            # Types that change along with their parameters would put those back to the type's own defaults.
            host.settle(setting.settle, sample_rate=sample_rate)
        if setting.restore:
            values = {i: v for i, v in self.base.items() if i not in setting.first} | values
        host.set(values)
        # Not with the note in one block: some plug-ins crash when a note meets a new oscillator type.
        host.settle(setting.settle, sample_rate=sample_rate)

    def state(self, patch: Patch) -> bytes:
        """Content of a preset file that sets the plug-in to a patch ``(P,)``."""
        self.set(patch)
        return self.host.read_state()

    def loaded(self, state: bytes) -> Mapping[int, float] | None:
        """What the controls read after a preset was loaded; None where the plug-in loads it and does not tell.

        Raises:
            ValueError: The plug-in refuses the preset.
        """
        self.host.reload()
        before, content = self._read(), self._state()
        try:
            self.host.write_state(state)
            # The first block after a load is silent, and some plug-ins take the preset over in it.
            self.host.settle(_SETTLED, sample_rate=_USUAL_RATE)
            after = self._read()
            return None if after == before and self._state() != content else after
        finally:
            # What the preset set and no knob covers must not be heard in later renders.
            self.host.reload()
            self._warm_up()

    def _warm_up(self) -> None:
        """Play something short: in some plug-ins the first note after loading is unlike all others."""
        if not self.spec.setting.reload:
            self.play(
                self.spec.space.default, Note(60, 1, 0.0, _SETTLED / 2), round(_SETTLED * _USUAL_RATE), _USUAL_RATE
            )

    def _state(self) -> bytes:
        try:
            return self.host.read_state()
        except HostError:
            return b""

    def _read(self) -> dict[int, float]:
        return {index: self.host.get(index) for index in self.base}


def _check_controls(spec: PluginSpec, names: Mapping[int, str]) -> None:
    entries = [*((k.index, k.host_name) for k in spec.knobs), *((f.index, f.host_name) for f in spec.fixed)]
    for index, expected in entries:
        if index not in names or not _alike(expected, names[index]):
            found = f"is called {names[index]!r}" if index in names else "does not exist"
            raise UserError(
                f"{spec.title} is another version than its spec {spec.name!r} was made for: control {index} {found} "
                f"instead of {expected!r}; install that version, or draft a spec with `wav2patch synths inspect`."
            )


def _alike(expected: str, found: str) -> bool:
    """Whether two names may be one control's: formats differ in how many letters they leave of a name."""
    one, other = expected.lower().strip(), found.lower().strip()
    return one.startswith(other) or other.startswith(one)
