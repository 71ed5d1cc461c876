"""VST3 plug-ins, and Audio Units on macOS, through pedalboard, without a window.

Of pedalboard, only the native layer is used: its `parameters` collapse names that appear twice, and change their
names as the plug-in's state changes.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard

from wav2patch.notes import Note
from wav2patch.synths.base import Audio
from wav2patch.synths.plugins.chance import seed_c_library
from wav2patch.synths.plugins.host import Control, HostError, plugin_format

BLOCK = 512
"""Samples that the plug-in computes at once."""

# JUCE gives every VST3 plug-in 130 such parameters for each of the 16 channels.
_MIDI_CONTROLLER = re.compile(r"MIDI CC \d+\|\d+")
_SMOOTH = 2**20
_NUDGE = 0.01
# Film's version of 48 kHz: a rate that plug-ins know and nobody asks for.
_ODD_RATE = 47952.0


class PedalboardHost:
    """One plug-in in pedalboard.

    Args:
        path: Of a ``.vst3`` file or bundle, or an Audio Unit ``.component``.

    Raises:
        HostError: It is missing, no plug-in, no instrument, or several plug-ins in one file.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._held: int | None = None
        self._plugin = self._load()
        self._controls = tuple(
            Control(i, parameter.name, parameter.label, _steps(parameter), float(parameter.raw_value))
            for i, parameter in enumerate(self._plugin._parameters)
            if not _MIDI_CONTROLLER.fullmatch(parameter.name)
        )

    @property
    def version(self) -> str:
        """As the plug-in gives it; empty where it does not."""
        return str(self._plugin.version)

    @property
    def controls(self) -> Sequence[Control]:
        """The plug-in's own parameters as it was loaded; JUCE's MIDI controllers, which follow them, are left out."""
        return self._controls

    def clear(self) -> None:
        """Stop what sounds, by preparing the plug-in anew.

        A reset leaves something of the render before in many plug-ins (TAL-NoiseMaker: −32 dB). They build their voices
        and effects afresh when the sample rate changes, which takes a hundredth of the time of a new instance. And
        the chance in them, such as a detuning, starts anew.
        """
        seed_c_library()
        self._plugin.reset()
        self._process([] if self._held is None else [(bytes([0x80, self._held, 0]), 0.0)], 64, _ODD_RATE)
        self._held = None
        self._plugin.reset()

    def reload(self) -> None:
        """Replace the plug-in by a fresh instance."""
        seed_c_library()
        self._held = None
        self._plugin = self._load()

    def set(self, values: Mapping[int, float]) -> None:
        """Set parameters by place; a value that seems to be set already is sent all the same.

        After a type or a preset has changed a parameter inside the plug-in, the host still knows its old value and
        would not pass that value on.
        """
        parameters = self._plugin._parameters
        for index, value in values.items():
            if abs(parameters[index].raw_value - value) < 1e-6:
                parameters[index].raw_value = value + (_NUDGE if value < 0.5 else -_NUDGE)
            parameters[index].raw_value = value

    def get(self, index: int) -> float:
        """The normalised value that the plug-in reports."""
        return float(self._plugin._parameters[index].raw_value)

    def text(self, index: int, value: float) -> str:
        """What the plug-in would show; some only tell the text of the value that they have."""
        parameter = self._plugin._parameters[index]
        shown = str(parameter.get_text_for_raw_value(value))
        if shown != parameter.get_text_for_raw_value(0.0 if value > 0.5 else 1.0):
            return shown
        before = parameter.raw_value
        parameter.raw_value = value
        shown = str(parameter.string_value)
        parameter.raw_value = before
        return shown

    def settle(self, seconds: float, *, sample_rate: int) -> None:
        """Process silence; none for 0 seconds."""
        if seconds > 0:
            self._process([], math.ceil(seconds * sample_rate), sample_rate)

    def play(self, note: Note, *, length: float, sample_rate: int) -> Audio:
        """Play one note from the first sample on; float32 ``(2, samples)``."""
        pressed, released = bytes([0x90, note.pitch, note.velocity]), bytes([0x80, note.pitch, 0])
        self._held = note.pitch
        audio = self._process([(pressed, 0.0), (released, note.duration)], round(length * sample_rate), sample_rate)
        if note.duration < length:
            self._held = None
        return audio

    def read_state(self) -> bytes:
        """The content of a ``.vstpreset`` file (VST3) or ``.aupreset`` file."""
        return bytes(self._plugin.preset_data if plugin_format(self.path) == "vst3" else self._plugin.raw_state)

    def write_state(self, state: bytes) -> None:
        """Load the content of a preset file.

        Raises:
            ValueError: The plug-in refuses it.
        """
        try:
            _assign(self._plugin, "preset_data" if plugin_format(self.path) == "vst3" else "raw_state", state)
        except RuntimeError:
            raise ValueError(f"{self.path.name} refuses it") from None

    def _process(self, messages: list[tuple[bytes, float]], samples: int, sample_rate: float) -> Audio:
        if samples == 0:
            return np.zeros((2, 0), dtype=np.float32)
        # Half a sample more, so that neither rounding nor truncation inside can leave the last sample out.
        seconds = (samples + 0.5) / sample_rate
        audio = self._plugin.process(messages, seconds, float(sample_rate), 2, BLOCK, reset=False)
        return np.ascontiguousarray(audio[:, :samples], dtype=np.float32)

    def _load(self) -> Any:
        _hide_displays()
        try:
            with _unnamed():
                plugin: Any = pedalboard.load_plugin(str(self.path))  # pyright: ignore[reportPrivateImportUsage]
        except (ImportError, ValueError, RuntimeError) as error:
            raise HostError(f"{self.path.name} could not be loaded: {str(error).splitlines()[-1].strip()}") from None
        if not plugin.is_instrument:
            raise HostError(f"{self.path.name} is an effect and plays no notes")
        # The reset of the other kinds makes a fresh instance, a tenth of a second each time.
        _assign(plugin, "_reload_type", type(plugin._reload_type).ClearsAudioOnReset)
        return plugin


@contextlib.contextmanager
def _unnamed() -> Iterator[None]:
    """Keep pedalboard from asking for the text of a thousand values of each parameter, to name and type them.

    Surge XT is loaded in 0.2 s of computing then, instead of 3.2 s.
    """
    bases = getattr(pedalboard, "ExternalPlugin", object).__mro__
    mixin: Any = next((base for base in bases if "_get_parameters" in vars(base)), None)
    if mixin is None:
        yield
        return
    usual = vars(mixin)["_get_parameters"]
    mixin._get_parameters = lambda plugin: {}
    try:
        yield
    finally:
        mixin._get_parameters = usual


def _assign(plugin: Any, name: str, value: object) -> None:
    """Set an attribute without pedalboard's looking for a parameter of that name, for which it would name all."""
    object.__setattr__(plugin, name, value)


def _hide_displays() -> None:
    """No plug-in opens a window."""
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        os.environ.pop(variable, None)


def _steps(parameter: Any) -> int:
    return int(parameter.num_steps) if parameter.num_steps < _SMOOTH else 0
