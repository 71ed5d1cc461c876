"""Names of the parts of Vital that the space covers, and the order of their fields."""

from __future__ import annotations

import re
from types import MappingProxyType

OSCILLATORS, FILTERS, ENVELOPES, LFOS, SLOTS = range(1, 4), range(1, 3), range(1, 4), range(1, 5), range(1, 9)

SWITCH = ("off", "on")
MORPHS = (
    *("none", "vocode", "formant scale", "harmonic stretch", "inharmonic stretch", "smear", "random amplitudes"),
    *("low pass", "high pass", "phase disperse", "shepard tone", "spectral time skew"),
)
DISTORTIONS = (
    *("none", "sync", "formant", "quantize", "bend", "squeeze", "pulse width"),
    *("FM from first other", "FM from second other", "FM from noise"),
    *("RM from first other", "RM from second other", "RM from noise"),
)
ROUTES = ("filter 1", "filter 2", "filter 1 + 2", "effects", "direct out")
FILTER_MODELS = ("analog", "dirty", "ladder", "digital", "diode", "comb", "phaser")
FILTER_STYLES = ("12 dB", "24 dB", "notch blend", "notch spread", "band-peak-notch")
EFFECTS = ("distortion", "chorus", "delay", "reverb", "eq", "compressor")

SWITCHED = (*(f"osc_{k}" for k in OSCILLATORS), "sample", *(f"filter_{k}" for k in FILTERS), *EFFECTS)
"""Parts with a switch of their own."""

MODEL_CODES = (0, 1, 2, 3, 4, 6, 7)
"""Vital's number of each of `FILTER_MODELS`; 5, the formant filter, has controls of its own and is not covered."""

SOURCES = ("none", "env_1", "env_2", "env_3", "lfo_1", "lfo_2", "lfo_3", "lfo_4", "velocity", "note")
"""What may modulate, as Vital names it; random sources would make a patch sound different every time."""

_OSCILLATOR_DESTINATIONS = (
    *("level", "wave_frame", "transpose", "tune", "unison_detune"),
    *("spectral_morph_amount", "distortion_amount"),
)
_FILTER_DESTINATIONS = ("cutoff", "resonance", "drive", "blend", "mix")

DESTINATIONS = (
    *("voice_transpose", "voice_tune", "voice_amplitude"),
    *(f"osc_{k}_{field}" for k in OSCILLATORS for field in _OSCILLATOR_DESTINATIONS),
    "sample_level",
    *(f"filter_{k}_{field}" for k in FILTERS for field in _FILTER_DESTINATIONS),
    *(f"lfo_{k}_frequency" for k in LFOS),
    *("distortion_drive", "distortion_mix", "chorus_dry_wet", "delay_dry_wet", "delay_feedback", "reverb_dry_wet"),
)
"""What may be modulated, as Vital names it."""

_FIELDS = MappingProxyType(
    {
        "osc": (
            *("on", "wave_frame", "transpose", "tune", "level", "unison_voices", "unison_detune"),
            *("spectral_morph_type", "spectral_morph_amount", "distortion_type", "distortion_amount", "destination"),
        ),
        "sample": ("on", "level", "transpose", "destination"),
        "filter": ("on", "model", "style", "cutoff", "resonance", "drive", "blend", "keytrack", "mix"),
        "env": ("attack", "decay", "decay_power", "sustain", "release"),
        "lfo": ("shape", "frequency", "sync_type", "fade_time"),
        "modulation": ("source", "destination", "amount", "bipolar"),
        "distortion": ("on", "type", "drive", "mix"),
        "chorus": ("on", "voices", "frequency", "mod_depth", "feedback", "dry_wet"),
        "delay": ("on", "style", "frequency", "feedback", "filter_cutoff", "dry_wet"),
        "reverb": ("on", "size", "decay_time", "pre_high_cutoff", "dry_wet"),
        "eq": ("on", *(f"{b}_{f}" for b in ("low", "band", "high") for f in ("cutoff", "gain")), "band_resonance"),
        "compressor": ("on", "low_gain", "band_gain", "high_gain", "mix"),
    }
)


def fields(part: str) -> tuple[str, ...]:
    """Names of the parameters of a part such as ``"osc_2"``, ``"reverb"`` or ``"modulation_5"``, in order."""
    kind = part.split("_")[0]
    return tuple(f"{part}_{field}" for field in _FIELDS[kind])


def switch(control: str) -> str:
    """The control that switches a control's part on: ``"osc_2_on"`` of ``"osc_2_level"``; not all parts have one."""
    part = re.match(r"(?:osc|filter|env|lfo)_\d|[a-z]+", control)
    return f"{part.group()}_on" if part else ""


def destinations_of(part: str) -> tuple[float, ...]:
    """Places in `DESTINATIONS` of what the switch of a part such as ``"osc_2"`` or ``"reverb"`` governs."""
    return tuple(float(i) for i, name in enumerate(DESTINATIONS) if switch(name) == f"{part}_on")


def free_destinations() -> tuple[float, ...]:
    """Places in `DESTINATIONS` of what no switch governs."""
    governed = {place for part in SWITCHED for place in destinations_of(part)}
    return tuple(float(i) for i in range(len(DESTINATIONS)) if i not in governed)
