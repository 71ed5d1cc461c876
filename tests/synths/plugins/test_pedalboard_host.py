"""What the host does with pedalboard's objects, shown on a stand-in for them."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import pytest
from numpy.typing import NDArray

from wav2patch.notes import Note
from wav2patch.synths.plugins.host import HostError
from wav2patch.synths.plugins.pedalboard import PedalboardHost


class ReloadType(enum.Enum):
    UNKNOWN = 0
    ClearsAudioOnReset = 1


class NativeParameter:
    """As JUCE's: a value equal to the one it knows is not passed on to the plug-in."""

    def __init__(self, plugin: NativePlugin, name: str, value: float, steps: int = 0x7FFFFFFF) -> None:
        self.plugin, self.name, self.known, self.num_steps, self.label = plugin, name, value, steps, "Hz"
        self.deaf = False

    @property
    def raw_value(self) -> float:
        assert self in self.plugin._parameters, "an object of an instance that is gone"
        return float(np.float32(self.known))

    @raw_value.setter
    def raw_value(self, value: float) -> None:
        assert 0 <= value <= 1
        if np.float32(value) != np.float32(self.known):
            self.known = value
            self.plugin.inner[self.name] = value

    @property
    def string_value(self) -> str:
        return f"{self.raw_value:.2f}"

    def get_text_for_raw_value(self, value: float) -> str:
        return self.string_value if self.deaf else f"{value:.2f}"


class NativePlugin:
    is_instrument = True
    version = "1.2"

    def __init__(self) -> None:
        self._reload_type = ReloadType.UNKNOWN
        self.inner: dict[str, float] = {}
        self.calls: list[tuple[Any, ...]] = []
        names = {"Tone": 0.25, "Tone ": 0.5, "Type": 0.0, "MIDI CC 0|0": 0.0, "MIDI CC 15|129": 0.0}
        self._parameters = [NativeParameter(self, name, value) for name, value in names.items()]
        self._parameters[2].num_steps = 4
        self.preset_data = b"state"

    def reset(self) -> None:
        self.calls.append(("reset",))

    def process(
        self, messages: list[Any], duration: float, rate: float, channels: int, block: int, reset: bool
    ) -> NDArray[np.float32]:
        self.calls.append((messages, int(duration * rate), rate))
        assert not reset, "a reset of pedalboard's makes a fresh instance"
        return np.ones((channels, int(duration * rate)), dtype=np.float32)


@pytest.fixture
def natives(monkeypatch: pytest.MonkeyPatch) -> list[NativePlugin]:
    made: list[NativePlugin] = []

    def load_plugin(path: str) -> NativePlugin:
        made.append(NativePlugin())
        return made[-1]

    monkeypatch.setattr(pedalboard, "load_plugin", load_plugin)
    return made


@pytest.fixture
def host(natives: list[NativePlugin]) -> PedalboardHost:
    return PedalboardHost("Toy.vst3")


def test_controls_are_the_plugins_own(host: PedalboardHost) -> None:
    assert [(c.index, c.name, c.unit, c.steps, c.default) for c in host.controls] == [
        (0, "Tone", "Hz", 0, 0.25),
        (1, "Tone ", "Hz", 0, 0.5),
        (2, "Type", "Hz", 4, 0.0),
    ]


def test_a_value_that_seems_set_is_sent(host: PedalboardHost, natives: list[NativePlugin]) -> None:
    (native,) = natives
    for value in (0.25, 0.25, 0.0, 0.0, 1.0, 1.0):
        native.inner["Tone"] = -1.0
        host.set({0: value})
        assert native.inner["Tone"] == value
        assert host.get(0) == value


def test_clearing_prepares_the_plugin_at_another_rate(host: PedalboardHost, natives: list[NativePlugin]) -> None:
    for rate in (44100, 48000, 96000):
        host.settle(0.001, sample_rate=rate)
        natives[0].calls.clear()
        host.clear()
        first, (messages, _, other), last = natives[0].calls
        assert first == last == ("reset",)
        assert other not in (44100, 48000, 96000)
        assert messages == []


def test_a_note_that_is_held_ends_with_the_render(host: PedalboardHost, natives: list[NativePlugin]) -> None:
    host.play(Note(60, 100, 0.0, 1.0), length=0.5, sample_rate=44100)
    host.clear()
    assert natives[0].calls[-2][0] == [(bytes([0x80, 60, 0]), 0.0)]
    host.play(Note(60, 100, 0.0, 0.25), length=0.5, sample_rate=44100)
    assert natives[0].calls[-1][0] == [(bytes([0x90, 60, 100]), 0.0), (bytes([0x80, 60, 0]), 0.25)]
    host.clear()
    assert natives[0].calls[-2][0] == []


@pytest.mark.parametrize("samples", [0, 1, 4410, 13230, 17639, 44101])
@pytest.mark.parametrize("sample_rate", [16000, 44100, 48000])
def test_a_note_has_exactly_the_length(host: PedalboardHost, samples: int, sample_rate: int) -> None:
    audio = host.play(Note(60, 100, 0.0, 0.1), length=samples / sample_rate, sample_rate=sample_rate)
    assert audio.shape == (2, samples)
    assert audio.dtype == np.float32


def test_no_silence_is_no_work(host: PedalboardHost, natives: list[NativePlugin]) -> None:
    host.settle(0.0, sample_rate=44100)
    assert not natives[0].calls
    host.settle(0.05, sample_rate=44100)
    assert natives[0].calls == [([], 2205, 44100.0)]


def test_the_text_of_a_value_is_told_even_by_a_deaf_plugin(host: PedalboardHost, natives: list[NativePlugin]) -> None:
    assert host.text(0, 0.75) == "0.75"
    natives[0]._parameters[0].deaf = True
    assert host.text(0, 0.75) == "0.75"
    assert host.get(0) == 0.25


def test_a_reload_is_a_fresh_instance(host: PedalboardHost, natives: list[NativePlugin]) -> None:
    host.set({0: 0.9})
    host.reload()
    assert host.get(0) == 0.25
    assert len(natives) == 2
    assert natives[1]._reload_type is ReloadType.ClearsAudioOnReset


def test_states_pass_through(host: PedalboardHost, natives: list[NativePlugin]) -> None:
    assert host.read_state() == b"state"
    host.write_state(b"other")
    assert host.read_state() == b"other"
    assert host.version == "1.2"


def test_no_plugin_finds_a_display(natives: list[NativePlugin], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    PedalboardHost("Toy.vst3")
    assert not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()


def test_an_effect_is_refused(natives: list[NativePlugin], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NativePlugin, "is_instrument", False)
    with pytest.raises(HostError, match=r"Toy\.vst3 is an effect"):
        PedalboardHost("Toy.vst3")


def test_what_is_no_plugin_is_refused(tmp_path: Path) -> None:
    (tmp_path / "junk.vst3").write_bytes(b"junk")
    for name in ("junk.vst3", "missing.vst3"):
        with pytest.raises(HostError, match=rf"{name} could not be loaded: "):
            PedalboardHost(tmp_path / name)
