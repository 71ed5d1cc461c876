"""Plug-ins in DawDreamer: VST2 and LV2, which pedalboard does not load on Linux, and VST3."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from wav2patch.notes import Note
from wav2patch.synths.base import Audio
from wav2patch.synths.plugins.chance import seed_c_library
from wav2patch.synths.plugins.fxp import FxpError, Program, from_bytes, to_bytes
from wav2patch.synths.plugins.host import Control, HostError, is_uri, plugin_format

SAMPLE_RATE = 44100
"""At which a plug-in is opened first; another rate opens it anew."""

BLOCK = 128
"""Samples that the plug-in gets at a time."""

# JUCE gives every VST3 a control for each MIDI controller of each channel, 2,080 in all.
_MIDI_CONTROL = re.compile(r"MIDI CC \d+\|\d+")
_SMOOTH = 2**16
_VST2_ID = slice(16, 20)
_URI = re.compile(r"([a-z][a-z0-9+.-]*):/+([^/].*)")
_LV2_PLUGIN = re.compile(r"<([a-z]+:[^>]+)>\s+a\s+[^.;]*\blv2:Plugin\b")
_MEMORY = "/dev/shm"


class DawDreamerHost:
    """One plug-in, loaded by DawDreamer; see `Host`.

    Nothing in here opens a window: DawDreamer's `load_state` does with some plug-ins, and ends the process where there
    is no display.

    Args:
        plugin: The plug-in's file or bundle, or the URI of an LV2 plug-in that is installed.

    Raises:
        HostError: The plug-in cannot be loaded, or DawDreamer is not installed.
    """

    _engine: Any
    _processor: Any

    def __init__(self, plugin: Path | str) -> None:
        if reason := unavailable():
            raise HostError(reason)
        self._plugin = _address(plugin)
        self._format = plugin_format(self._plugin)
        self._environment = _environment()
        self._sample_rate = SAMPLE_RATE
        self._done: list[_Step] = []
        self._open()
        self._controls = tuple(self._described())

    def _open(self) -> None:
        # The old instance goes first: with the last one its library leaves too, and takes its static variables along.
        self._engine = self._processor = None
        seed_c_library()
        engine = import_module("dawdreamer").RenderEngine(self._sample_rate, BLOCK)
        try:
            with _quiet(), _set_to(self._environment):
                processor = engine.make_plugin_processor("plugin", self._plugin)
                engine.load_graph([(processor, [])])
        except RuntimeError as error:
            raise HostError(f"{self._plugin} could not be loaded: DawDreamer says {str(error)!r}") from None
        self._engine, self._processor = engine, processor

    @property
    def controls(self) -> Sequence[Control]:
        """The plug-in's own parameters, in its order; JUCE's MIDI controllers are left out."""
        return self._controls

    def _described(self) -> Iterator[Control]:
        for entry in self._processor.get_parameters_description():
            if not _MIDI_CONTROL.fullmatch(entry["name"]):
                steps = int(entry["numSteps"])
                stepped = entry["isDiscrete"] and steps < _SMOOTH
                # What DawDreamer itself calls a default is 0 for every control.
                default = min(max(self.get(entry["index"]), 0.0), 1.0)
                yield Control(entry["index"], entry["name"], entry["label"], steps if stepped else 0, default)

    @cached_property
    def unique_id(self) -> str:
        """A VST2 plug-in's identity of four characters, which its preset files carry; else empty."""
        if self._format != "vst2":
            return ""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "state"
            self._processor.save_state(str(path))
            return path.read_bytes()[_VST2_ID].decode("latin-1")

    def clear(self) -> None:
        """Open a fresh instance and set it as the old one was.

        No less will do: amsynth's oscillators and TAL-NoiseMaker's filters run on through all-sound-off and seconds
        of silence. It takes 0.05 to 0.1 s.
        """
        self._open()
        self._redo()

    def reload(self) -> None:
        """Replace the plug-in by a fresh instance: phases, tails and the C library's `rand` start anew."""
        self._done.clear()
        self._open()

    def set(self, values: Mapping[int, float]) -> None:
        """Set parameters by their place to normalised values, 0 to 1; they are sent even where they seem unchanged."""
        self._do(_Set(values))

    def settle(self, seconds: float, *, sample_rate: int) -> None:
        """Process silence, so that what was set takes effect."""
        self._use(sample_rate)
        self._processor.clear_midi()
        if seconds > 0:
            self._engine.render(seconds)

    def get(self, index: int) -> float:
        """The normalised value that the plug-in reports; a VST3 goes on reporting the old ones after a preset."""
        return float(self._processor.get_parameter(index))

    def text(self, index: int, value: float) -> str:
        """What the plug-in would show for a normalised value of a parameter."""
        before = self.get(index)
        self._processor.set_parameter(index, float(value))
        shown = self._processor.get_parameter_text(index)
        self._processor.set_parameter(index, before)
        return shown

    def play(self, note: Note, *, length: float, sample_rate: int) -> Audio:
        """Play one note at once; float32 ``(2, round(length * sample_rate))``. See `Host.play`.

        Of more than two channels the first two are given; a single one is given twice.
        """
        self._use(sample_rate)
        samples = round(length * sample_rate)
        self._processor.clear_midi()
        self._processor.add_midi_note(note.pitch, note.velocity, 0.0, note.duration)
        # Half a sample more, as DawDreamer rounds down.
        self._engine.render((samples + 0.5) / sample_rate)
        self._processor.clear_midi()
        audio = self._engine.get_audio()[:2, :samples]
        return np.ascontiguousarray(np.broadcast_to(audio, (2, samples)), dtype=np.float32)

    def _use(self, sample_rate: int) -> None:
        """Open the plug-in at another rate, with the controls as they were."""
        if sample_rate != self._sample_rate:
            self._sample_rate = sample_rate
            self._open()
            self._redo()

    def _do(self, step: _Step) -> None:
        step.apply(self._processor)
        self._done = _merged([*self._done, step])

    def _redo(self) -> None:
        for step in self._done:
            step.apply(self._processor)

    def read_state(self) -> bytes:
        """The values of all controls: as the content of an ``.fxp`` file, or for LV2 as our own JSON.

        Raises:
            HostError: The plug-in is a VST3, of which DawDreamer gives no preset file; pedalboard does.
        """
        values = {control.index: min(max(self.get(control.index), 0.0), 1.0) for control in self.controls}
        if self._format == "vst2":
            return to_bytes(Program("wav2patch", self.unique_id, tuple(values.values())))
        if self._format == "lv2":
            return json.dumps({"plugin": self._plugin, "values": values}).encode()
        raise HostError(f"DawDreamer gives no preset of {self._plugin}: pedalboard hosts it, and does")

    def write_state(self, state: bytes) -> None:
        """Load the content of an ``.fxp`` (VST2) or ``.vstpreset`` (VST3) file, or what `read_state` gave (LV2).

        Raises:
            ValueError: It is not such a file, belongs to another plug-in, or the plug-in refuses it.
        """
        if self._format == "vst2":
            self._check_program(state)
            self._do(_Load(state, ".fxp"))
        elif self._format == "vst3" and state[:4] == b"VST3":
            self._do(_Load(state, ".vstpreset"))
        elif self._format == "lv2":
            self.set(_lv2_values(state, self._plugin))
        else:
            raise ValueError(f"that is no preset file of {self._plugin}")

    def _check_program(self, state: bytes) -> None:
        try:
            program = from_bytes(state)
        except FxpError as error:
            raise ValueError(f"that is no VST2 program: {error}") from None
        if program.unique_id != self.unique_id:
            raise ValueError(f"that program is for the plug-in {program.unique_id!r}, not {self.unique_id!r}")


class _Set:
    """Values that were set, which can be set again in another instance."""

    def __init__(self, values: Mapping[int, float]) -> None:
        self.values = dict(values)

    def apply(self, processor: Any) -> None:
        for index, value in self.values.items():
            processor.set_parameter(index, float(value))


class _Load:
    """A preset that was loaded, which can be loaded again in another instance."""

    def __init__(self, state: bytes, suffix: str) -> None:
        self.state, self.suffix = state, suffix

    def apply(self, processor: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"preset{self.suffix}"
            path.write_bytes(self.state)
            load = processor.load_preset if self.suffix == ".fxp" else processor.load_vst3_preset
            if load(str(path)) is False:
                raise ValueError("the plug-in refuses the preset")


_Step = _Set | _Load


def _merged(steps: Sequence[_Step]) -> list[_Step]:
    """The same state in two steps at most: the last preset that was loaded, and what was set after it."""
    last = max((i for i, step in enumerate(steps) if isinstance(step, _Load)), default=-1)
    values = {k: v for step in steps[last + 1 :] if isinstance(step, _Set) for k, v in step.values.items()}
    return [*steps[last : last + 1], *([_Set(values)] if values else [])]


def unavailable() -> str | None:
    """Why nothing can be hosted here and what to do, a sentence; None where DawDreamer is installed."""
    if find_spec("dawdreamer"):
        return None
    return (
        "VST2 and LV2 plug-ins are hosted by DawDreamer, which is not installed: "
        "run `pip install 'wav2patch[dawdreamer]'`."
    )


def _address(plugin: Path | str) -> str:
    """What DawDreamer loads a plug-in by: its path, or for LV2 the URI."""
    if is_uri(plugin):
        # A `Path` of a URI has lost one of the two slashes.
        return _URI.sub(r"\1://\2", str(plugin))
    path = Path(plugin)
    if not path.exists():
        raise HostError(f"{plugin} could not be loaded: there is no such file")
    return _lv2_uri(path) if plugin_format(path) == "lv2" else str(path)


def _lv2_uri(bundle: Path) -> str:
    """The URI of the plug-in in an LV2 bundle."""
    try:
        manifest = (bundle / "manifest.ttl").read_text("utf-8", "replace")
    except OSError:
        raise HostError(f"{bundle} could not be loaded: it is no LV2 bundle, as it has no manifest.ttl") from None
    uris = sorted(set(_LV2_PLUGIN.findall(manifest)))
    if len(uris) != 1:
        several = f"it holds several plug-ins, name one: {', '.join(uris)}" if uris else "it holds no plug-in"
        raise HostError(f"{bundle} could not be loaded: {several}")
    return uris[0]


def _lv2_values(state: bytes, plugin: str) -> dict[int, float]:
    """Values of controls by their places, from what `DawDreamerHost.read_state` gives for LV2."""
    try:
        content = json.loads(state)
        values = {int(index): float(value) for index, value in content["values"].items()}
        belongs = content["plugin"] == plugin
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("that holds no values of an LV2 plug-in") from None
    if not belongs or not all(0 <= value <= 1 for value in values.values()):
        raise ValueError(f"that holds no values of {plugin}")
    return values


def _environment() -> dict[str, str]:
    """The environment as it is now, in which fresh instances are opened too."""
    # JUCE writes and removes some forty files whenever a plug-in is loaded, a third of the time on a busy disk.
    memory = {"TMPDIR": _MEMORY} if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) else {}
    return {**os.environ, **memory}


@contextlib.contextmanager
def _set_to(environment: Mapping[str, str]) -> Iterator[None]:
    """Another environment inside this block."""
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(environment)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what JUCE and the plug-in print while loading off the terminal."""
    sys.stdout.flush()
    kept = {stream: os.dup(stream) for stream in (1, 2)}
    try:
        with open(os.devnull, "wb") as nowhere:
            for stream in kept:
                os.dup2(nowhere.fileno(), stream)
        yield
    finally:
        for stream, copy in kept.items():
            os.dup2(copy, stream)
            os.close(copy)
