"""The core on real plug-ins, where environment variables say where those are.

They are loaded in another process: a crash must not end the tests.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.parameters import Categorical, Continuous, Patch
from wav2patch.priors import Marginal, draw
from wav2patch.synths.base import Audio
from wav2patch.synths.plugins import vstpreset
from wav2patch.synths.plugins.apart import Apart
from wav2patch.synths.plugins.spec import Fixed, Knob, PluginSpec, Setting
from wav2patch.synths.plugins.synth import PluginSynth

NOTE = Note(57, 100, 0.0, 0.4)


def smooth(name: str, index: int, host_name: str, low: float = 0.0, default: float = 0.0) -> Knob:
    return Knob(Continuous(name, 0.0, 1.0, default), index, host_name, marginal=Marginal(low=low))


TAL = PluginSpec(
    "tal",
    "TAL-NoiseMaker",
    ("TAL-NoiseMaker.vst3",),
    "WAV2PATCH_TAL_NOISEMAKER",
    (
        smooth("cutoff", 3, "cutoff", 0.3),
        smooth("resonance", 4, "resonance"),
        smooth("attack", 11, "ampattack"),
        smooth("oscillator", 15, "osc1volume", 0.5, 0.8),
        smooth("lfo", 30, "lfo1amount"),
        smooth("reverb", 60, "reverbwet"),
        smooth("detune", 67, "detune"),
        Knob(Categorical("wave", ("saw", "pulse", "noise")), 23, "osc1waveform"),
    ),
)
OBXD = PluginSpec(
    "obxd",
    "OB-Xd",
    ("Obxd.vst3", "OB-Xd.vst3"),
    "WAV2PATCH_OBXD",
    (
        smooth("cutoff", 44, "Cutoff", 0.3),
        smooth("resonance", 45, "Resonance"),
        smooth("attack", 51, "Attack"),
        smooth("mix", 41, "Osc2Mix", 0.5, 0.8),
    ),
)
SURGE = PluginSpec(
    "surge",
    "Surge XT",
    ("Surge XT.vst3",),
    "WAV2PATCH_SURGE_XT",
    (
        smooth("cutoff", 319, "A Filter 1 Cutoff", 0.4),
        smooth("resonance", 320, "A Filter 1 Resonance"),
        smooth("volume", 292, "A Osc 1 Volume", 0.5, 0.8),
        Knob(Categorical("type", ("classic", "sine", "modern")), 256, "A Osc 1 Type", (0.005, 0.085, 0.665)),
        Knob(Categorical("filter", ("LP 12 dB", "LP 24 dB")), 317, "A Filter 1 Type", (0.035, 0.065)),
    ),
    (Fixed(267, 0.995, "A Osc 1 Retrigger"), Fixed(313, 0.995, "A Noise Mute")),
    Setting(first=(256, 317), settle=0.5),
)


class Bench(PluginSynth):
    """A plug-in that is played over there."""

    def play(self, patch: Patch, note: Note, length: float, sample_rate: int) -> Audio:
        return self.render(patch, note, length=length, sample_rate=sample_rate)

    def play_state(self, state: bytes, note: Note, length: float, sample_rate: int) -> Audio:
        """A note on a freshly loaded plug-in with a preset, as a host would play it."""
        self.prepare()
        assert self._player is not None
        host = self._player.host
        host.reload()
        host.write_state(state)
        host.clear()
        host.settle(0.5, sample_rate=sample_rate)
        try:
            return self.spec.gain * host.play(note, length=length, sample_rate=sample_rate)
        finally:
            host.reload()


@dataclass(frozen=True)
class Real:
    """A plug-in over there, and by how many decibels below a render its difference to another one stays."""

    synth: Bench
    apart: Apart
    tolerance: float | None

    def play(self, patch: Patch, note: Note = NOTE, length: float = 0.8, sample_rate: int = 44100) -> Audio:
        return self.apart.call("play", patch, note, length, sample_rate)

    def patches(self, count: int) -> Patch:
        return np.stack([draw(self.synth.prior(), 5, i) for i in range(count)])

    def same(self, one: Audio, other: Audio) -> bool:
        if self.tolerance is None:
            return abs(level(one) - level(other)) < 10.0
        return level(one - other) - level(one) <= self.tolerance


def level(audio: Audio) -> float:
    """Decibels of the RMS."""
    return 20 * float(np.log10(max(np.sqrt(np.square(audio).mean(dtype=float)), 1e-15)))


# Two oscillators of OB-Xd start at any phase, so that its renders differ by some 7 dB in level even.
CASES: dict[str, tuple[PluginSpec, float | None]] = {
    "tal": (TAL, -150.0),
    "obxd": (OBXD, None),
    "surge": (SURGE, -80.0),
}


@pytest.fixture(scope="module", params=CASES)
def real(request: pytest.FixtureRequest) -> Iterator[Real]:
    spec, tolerance = CASES[request.param]
    if spec.variable not in os.environ:
        pytest.skip(f"{spec.variable} is not set to the path of {spec.title}")
    synth = Bench(spec)
    if reason := synth.missing():
        pytest.skip(reason)
    apart = Apart(synth, spec.title, 120.0)
    yield Real(synth, apart, tolerance)
    apart.close()
    if synth._apart is not None:
        synth._apart.close()


def test_nothing_leaks_from_render_to_render(real: Real) -> None:
    patches = real.patches(6)
    for patch, other in zip(patches, np.roll(patches, 1, axis=0), strict=True):
        before = real.play(patch)
        assert np.abs(before).max() > 0.003
        real.play(other, Note(36, 127, 0.0, 2.0))
        assert real.same(before, real.play(patch))


def test_a_knob_is_heard(real: Real) -> None:
    low, high = real.synth.space.default.copy(), real.synth.space.default.copy()
    low[0], high[0] = 0.35, 1.0
    dark, bright = (np.abs(np.fft.rfft(real.play(patch)[0])) ** 2 for patch in (low, high))
    assert dark[4000:].sum() / dark.sum() < 0.5 * bright[4000:].sum() / bright.sum()


@pytest.mark.parametrize("sample_rate", [22050, 48000])
def test_renders_have_shape_and_onset(real: Real, sample_rate: int) -> None:
    patch = real.patches(1)[0]
    late = real.play(patch, Note(57, 100, 0.25, 0.4), 0.75, sample_rate)
    at_once = real.play(patch, NOTE, 0.5, sample_rate)
    start = round(0.25 * sample_rate)
    assert late.shape == (2, round(0.75 * sample_rate))
    assert not late[:, :start].any()
    assert real.same(late[:, start : start + 1000], at_once[:, :1000])


def test_a_preset_file_holds_patch_and_state(real: Real, tmp_path: Path) -> None:
    for i, patch in enumerate(real.patches(3)):
        path = tmp_path / f"{i}.vstpreset"
        real.synth.write_preset(patch, path, name="round trip")
        (preset,) = real.synth.read_presets(path)
        assert preset.name == "round trip"
        assert_array_equal(preset.patch, patch)
        loaded = real.apart.call("play_state", path.read_bytes(), NOTE, 0.8, 44100)
        rendered = real.play(patch)
        assert level(loaded) == pytest.approx(level(rendered), abs=10.0 if real.tolerance is None else 0.5)


def test_a_file_of_another_program_is_read_or_refused(real: Real, tmp_path: Path) -> None:
    patch, path = real.patches(1)[0], tmp_path / "foreign.vstpreset"
    real.synth.write_preset(patch, path)
    ours = vstpreset.from_bytes(path.read_bytes())
    path.write_bytes(vstpreset.to_bytes(vstpreset.VstPreset(ours.class_id, ours.chunks[:2])))
    if real.synth.name == "surge":
        # The plug-in tells its host about new values on a thread that waits for a window.
        with pytest.raises(UserError, match="does not tell"):
            real.synth.read_presets(path)
    else:
        (preset,) = real.synth.read_presets(path)
        assert preset.patch == pytest.approx(patch, abs=1e-5)


def test_a_file_of_another_plugin_is_refused(real: Real, tmp_path: Path) -> None:
    path = tmp_path / "other.vstpreset"
    path.write_bytes(vstpreset.to_bytes(vstpreset.VstPreset(b"0" * 32, ((b"Comp", b"junk"), (b"Cont", b"")))))
    with pytest.raises(UserError, match="holds no preset of"):
        real.synth.read_presets(path)
