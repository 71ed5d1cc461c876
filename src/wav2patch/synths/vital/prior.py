"""A prior made by hand: patches such as people keep.

Draws of uniform controls are mostly silent, out of tune or a roar. Here a kind of sound is drawn first (`kinds.py`),
then its parts, each given what it needs to be heard: an oscillator in tune with the key, a filter that lets its
fundamental through, effects in moderation, few modulations. Parts that are off are drawn all the same, as whoever
switches them on should find something there; empty modulation slots have a destination and an amount for the same
reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import SupportsFloat

import numpy as np
from numpy.typing import NDArray

from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.synths.vital.kinds import KINDS, Kind
from wav2patch.synths.vital.names import (
    DESTINATIONS,
    DISTORTIONS,
    ENVELOPES,
    FILTER_MODELS,
    FILTERS,
    LFOS,
    MORPHS,
    OSCILLATORS,
    SLOTS,
    SOURCES,
)
from wav2patch.synths.vital.wavetable import POSITIONS

_CONSONANT = {0: 0.5, 12: 0.2, -12: 0.16, 7: 0.05, 24: 0.04, 19: 0.03, -24: 0.02}
"""Intervals of further oscillators, in semitones; fifths and octaves stay in tune with the key."""

_DISSONANT = {0: 0.1, 3: 0.1, 4: 0.1, 5: 0.15, 7: 0.15, 10: 0.1, 14: 0.1, 17: 0.1, 31: 0.1}

_MORPHS = {
    **{"none": 0.68, "low pass": 0.08, "high pass": 0.02, "formant scale": 0.03, "vocode": 0.03, "smear": 0.05},
    **{"random amplitudes": 0.03, "phase disperse": 0.02, "harmonic stretch": 0.02, "inharmonic stretch": 0.01},
    **{"spectral time skew": 0.02, "shepard tone": 0.01},
}
_DISTORTIONS = {
    **{"none": 0.76, "sync": 0.05, "formant": 0.03, "quantize": 0.01, "bend": 0.05, "squeeze": 0.04},
    **{"pulse width": 0.06},
}
_MODELS = {"analog": 0.33, "dirty": 0.14, "ladder": 0.22, "digital": 0.19, "diode": 0.05, "comb": 0.03, "phaser": 0.04}
_STYLES = (0.42, 0.46, 0.04, 0.03, 0.05)
_SHAPE_WEIGHTS = (0.3, 0.35, 0.1, 0.1, 0.1, 0.05)
_SYNC_WEIGHTS = (0.7, 0.05, 0.17, 0.03, 0.03, 0.02)

_BIPOLAR = 1.0
Slot = tuple[str, str, float, float]


@dataclass(frozen=True)
class VitalPrior:
    """Patches of the kinds of `KINDS`.

    Attributes:
        space: The parameters of Vital.
    """

    space: ParameterSpace

    def sample(self, generator: np.random.Generator, n: int) -> Patch:
        """Draw n patches, ``(n, P)``."""
        return self.space.snap(np.stack([self._one(generator) for _ in range(n)]))

    def _one(self, generator: np.random.Generator) -> NDArray[np.float64]:
        values = _Draw(generator).patch()
        return np.array([values[name] for name in self.space.names])


class _Draw:
    """One patch in the making."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._values: dict[str, float] = {}
        self._slots: list[Slot] = []
        weights = np.array([kind.weight for kind in KINDS])
        self.kind: Kind = KINDS[self._index(weights)]

    def patch(self) -> dict[str, float]:
        self._oscillators()
        self._noise()
        self._filters()
        self._envelopes()
        self._lfos()
        self._effects()
        self._modulations()
        self._set("volume", (80.0 - 7.0 + 2.0 * self._generator.standard_normal()) ** 2)
        self._set("velocity_track", 0.0 if self._chance(0.6) else self._between(0.2, 1.0))
        return self._values

    def _set(self, name: str, value: SupportsFloat) -> None:
        self._values[name] = float(value)

    def _chance(self, share: float) -> bool:
        return bool(self._generator.random() < share)

    def _between(self, low: float, high: float) -> float:
        return low + (high - low) * float(self._generator.random())

    def _seconds(self, low: float, high: float) -> float:
        """A time by its fourth root, as envelopes keep it; all orders of magnitude alike."""
        return float(np.exp(self._between(np.log(low), np.log(high)))) ** 0.25

    def _index(self, weights: NDArray[np.float64] | tuple[float, ...]) -> int:
        edges = np.cumsum(weights)
        return int(np.searchsorted(edges, self._generator.random() * edges[-1], side="right"))

    def _pick(self, weights: Mapping[str, float]) -> str:
        return list(weights)[self._index(tuple(weights.values()))]

    def _interval(self, weights: Mapping[int, float]) -> int:
        return list(weights)[self._index(tuple(weights.values()))]

    def _oscillators(self) -> None:
        kind = self.kind
        modulated = self._chance(kind.fm)
        second = modulated or self._chance(kind.second)
        playing = (True, second, second and self._chance(kind.third))
        for k, on in zip(OSCILLATORS, playing, strict=True):
            self._oscillator(k, on)
        if modulated:
            self._frequency_modulation()

    def _oscillator(self, k: int, on: bool) -> None:
        name = f"osc_{k}"
        self._set(f"{name}_on", on)
        self._set(f"{name}_wave_frame", self._frame())
        self._set(f"{name}_transpose", self._transpose(k))
        cents = 7.0 if k > 1 else 2.0
        detuned = self._chance(0.5 if k > 1 else 0.3)
        self._set(f"{name}_tune", 0.01 * cents * self._generator.standard_normal() if detuned else 0.0)
        self._set(f"{name}_level", self._between(0.55, 0.9) if k == 1 else self._between(0.25, 0.8))
        wide = self._chance(self.kind.unison)
        self._set(f"{name}_unison_voices", self._generator.integers(2, 8) if wide else 1)
        self._set(f"{name}_unison_detune", self._between(1.0, 4.5))
        self._set(f"{name}_spectral_morph_type", MORPHS.index(self._pick(_MORPHS)))
        self._set(f"{name}_spectral_morph_amount", self._between(0.2, 0.8))
        self._set(f"{name}_distortion_type", DISTORTIONS.index(self._pick(_DISTORTIONS)))
        self._set(f"{name}_distortion_amount", self._between(0.25, 0.75))
        self._set(f"{name}_destination", self._index((0.8, 0.06, 0.06, 0.07, 0.01)))

    def _frame(self) -> float:
        """Half of all presets have one of the basic shapes, the others something on the way."""
        if self._chance(0.5):
            return float(POSITIONS[self._index((0.3, 0.15, 0.2, 0.35))])
        return self._between(0.0, 256.0)

    def _transpose(self, k: int) -> int:
        if self._chance(self.kind.odd):
            return self._interval(_DISSONANT)
        if k == 1:
            return -12 if self._chance(self.kind.lower) else 0
        return self._interval(_CONSONANT)

    def _frequency_modulation(self) -> None:
        """The second oscillator, mostly a sine and seldom heard itself, modulates the first."""
        self._set("osc_1_distortion_type", DISTORTIONS.index("FM from first other"))
        self._set("osc_1_distortion_amount", self._between(0.12, 0.55))
        self._set("osc_1_wave_frame", 0.0 if self._chance(0.6) else self._between(0.0, 100.0))
        self._set("osc_2_wave_frame", 0.0 if self._chance(0.7) else self._between(0.0, 100.0))
        self._set("osc_2_level", 0.0 if self._chance(0.7) else self._between(0.1, 0.5))
        ratios = {0: 0.35, 12: 0.25, 19: 0.13, 24: 0.12, 28: 0.05, 31: 0.05, 36: 0.05}
        self._set("osc_2_transpose", self._interval(ratios))

    def _noise(self) -> None:
        self._set("sample_on", self._chance(self.kind.noise))
        self._set("sample_level", self._between(0.1, 0.5))
        self._set("sample_transpose", 0 if self._chance(0.6) else self._generator.integers(-36, 25))
        self._set("sample_destination", self._index((0.6, 0.03, 0.05, 0.31, 0.01)))

    def _filters(self) -> None:
        first = self._chance(self.kind.filtered)
        second = first and self._chance(0.12)
        for k, on in zip(FILTERS, (first, second), strict=True):
            name = f"filter_{k}"
            self._set(f"{name}_on", on)
            self._set(f"{name}_model", FILTER_MODELS.index(self._pick(_MODELS)))
            self._set(f"{name}_style", self._index(_STYLES))
            self._set(f"{name}_cutoff", self._between(*self.kind.cutoff))
            self._set(f"{name}_resonance", self._between(0.0, 0.65))
            self._set(f"{name}_drive", 0.0 if self._chance(0.65) else self._between(0.0, 10.0))
            # A low pass as a rule; a high pass takes the fundamental.
            self._set(f"{name}_blend", 0.0 if self._chance(0.85) else self._between(0.0, 1.4))
            self._set(f"{name}_keytrack", 0.0 if self._chance(0.5) else self._between(0.2, 1.0))
            self._set(f"{name}_mix", 1.0 if self._chance(0.9) else self._between(0.4, 1.0))
        self._set("filter_2_filter_input", second and self._chance(0.6))

    def _envelopes(self) -> None:
        kind = self.kind
        for k in ENVELOPES:
            name = f"env_{k}"
            dying = k == 2 and self._chance(0.6)
            self._set(f"{name}_attack", self._seconds(*kind.attack))
            self._set(f"{name}_decay", self._seconds(*((0.05, 1.0) if dying else kind.decay)))
            self._set(f"{name}_decay_power", -2.0 if self._chance(0.4) else self._between(-6.0, 2.0))
            self._set(f"{name}_sustain", self._between(0.0, 0.4) if dying else self._between(*kind.sustain))
            self._set(f"{name}_release", self._seconds(*kind.release))

    def _lfos(self) -> None:
        for k in LFOS:
            name = f"lfo_{k}"
            self._set(f"{name}_shape", self._index(_SHAPE_WEIGHTS))
            # The first is left for vibrato, at 4 to 8 Hz.
            self._set(f"{name}_frequency", self._between(2.0, 3.0) if k == 1 else self._between(-2.0, 3.5))
            plain = k == 1 and self._chance(0.8)
            self._set(f"{name}_sync_type", 0 if plain else self._index(_SYNC_WEIGHTS))
            self._set(f"{name}_fade_time", 0.0 if self._chance(0.6) else self._between(0.0, 1.5))

    def _effects(self) -> None:
        chorus, delay, reverb = self.kind.space
        self._set("distortion_on", self._chance(0.18))
        self._set("distortion_type", self._index((0.5, 0.15, 0.1, 0.15, 0.05, 0.05)))
        self._set("distortion_drive", self._between(1.0, 14.0))
        self._set("distortion_mix", self._between(0.3, 1.0))
        self._set("chorus_on", self._chance(chorus))
        self._set("chorus_voices", self._generator.integers(1, 5))
        self._set("chorus_frequency", self._between(-4.0, 1.0))
        self._set("chorus_mod_depth", self._between(0.2, 0.7))
        self._set("chorus_feedback", self._between(0.0, 0.5))
        self._set("chorus_dry_wet", self._between(0.15, 0.5))
        self._set("delay_on", self._chance(delay))
        self._set("delay_style", self._index((0.3, 0.3, 0.3, 0.1)))
        self._set("delay_frequency", self._between(1.0, 4.0))
        self._set("delay_feedback", self._between(0.1, 0.6))
        self._set("delay_filter_cutoff", self._between(50.0, 90.0))
        self._set("delay_dry_wet", self._between(0.1, 0.35))
        self._set("reverb_on", self._chance(reverb))
        self._set("reverb_size", self._between(0.2, 0.8))
        self._set("reverb_decay_time", self._between(-1.5, 2.5))
        self._set("reverb_pre_high_cutoff", self._between(80.0, 125.0))
        self._set("reverb_dry_wet", self._between(0.08, 0.4))
        self._tone()

    def _tone(self) -> None:
        self._set("eq_on", self._chance(0.1))
        for band, low, high in (("low", 30.0, 60.0), ("band", 55.0, 105.0), ("high", 90.0, 120.0)):
            self._set(f"eq_{band}_cutoff", self._between(low, high))
            self._set(f"eq_{band}_gain", self._between(-6.0, 6.0))
        self._set("eq_band_resonance", self._between(0.2, 0.7))
        self._set("compressor_on", self._chance(0.06))
        for band in ("low", "band", "high"):
            self._set(f"compressor_{band}_gain", self._between(2.0, 14.0))
        self._set("compressor_mix", self._between(0.3, 0.9))

    def _modulations(self) -> None:
        kind = self.kind
        on = self._values
        if on["filter_1_on"] and self._chance(kind.swept):
            self._slots.append(("env_2", "filter_1_cutoff", self._between(0.1, 0.5), 0.0))
        if self._chance(kind.vibrato):
            self._slots.append(("lfo_1", "voice_tune", self._between(0.03, 0.2), _BIPOLAR))
        if self._chance(kind.moving):
            source = "lfo_2" if self._chance(0.5) else "env_2"
            self._slots.append((source, "osc_1_wave_frame", self._signed(0.1, 0.6), float(source == "lfo_2")))
        if on["filter_1_on"] and self._chance(0.1):
            self._slots.append(("lfo_3", "filter_1_cutoff", self._between(0.03, 0.2), _BIPOLAR))
        if on["osc_1_distortion_type"] == DISTORTIONS.index("FM from first other") and self._chance(0.6):
            self._slots.append(("env_2", "osc_1_distortion_amount", self._between(0.1, 0.4), 0.0))
        if self._chance(0.08):
            self._slots.append(("lfo_4", "voice_amplitude", -self._between(0.15, 0.6), 0.0))
        if self._chance(0.1):
            self._slots.append(("velocity", "filter_1_cutoff", self._between(0.05, 0.25), 0.0))
        if self._chance(0.5 * kind.odd):
            self._slots.append(("env_3", "voice_transpose", self._signed(0.05, 0.4), 0.0))
        self._fill_slots()

    def _signed(self, low: float, high: float) -> float:
        return self._between(low, high) * (1.0 if self._chance(0.6) else -1.0)

    def _fill_slots(self) -> None:
        while len(self._slots) < len(SLOTS):
            destination = DESTINATIONS[int(self._generator.integers(len(DESTINATIONS)))]
            self._slots.append(("none", destination, self._signed(0.05, 0.4), float(self._chance(0.3))))
        for k, (source, destination, amount, bipolar) in zip(SLOTS, self._slots, strict=True):
            self._set(f"modulation_{k}_source", SOURCES.index(source))
            self._set(f"modulation_{k}_destination", DESTINATIONS.index(destination))
            self._set(f"modulation_{k}_amount", amount)
            self._set(f"modulation_{k}_bipolar", bipolar)
