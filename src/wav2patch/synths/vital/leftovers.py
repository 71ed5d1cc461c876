"""What of a preset no patch holds, in words for musicians."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from wav2patch.synths.vital.document import init_controls
from wav2patch.synths.vital.names import EFFECTS, LFOS
from wav2patch.synths.vital.noise import NAME, noise_json
from wav2patch.synths.vital.settings import fixed_controls, plain_places

Settings = Mapping[str, Any]

_PARTS = MappingProxyType(
    {
        "osc": "oscillator",
        "env": "envelope",
        "lfo": "LFO",
        "filter": "filter",
        "macro_control": "macro",
        "random": "random LFO",
    }
)
_WHOLE = MappingProxyType({"sample": "noise", "eq": "equalizer", "filter_fx": "effects filter"})
_TEMPOS = (0.0, *(2.0**k for k in range(-7, 5)))
"""Cycles a beat of Vital's tempo settings, from freeze and 32/1 to 1/64."""

_SYNC = MappingProxyType({1: 1.0, 2: 2.0 / 3.0, 3: 1.5})
"""How much faster straight, dotted and triplet tempos are."""

_SLIGHT = -5.0
_EXTRA_EFFECTS = MappingProxyType({"phaser": "the phaser", "flanger": "the flanger", "filter_fx": "the effects filter"})

_ASPECTS: tuple[tuple[str, str], ...] = (
    (r"osc_\d_pan|sample_pan|osc_\d_stereo_spread", "stereo position"),
    (
        r"osc_\d_(stack_style|unison_blend|detune_power|detune_range|frame_spread|.*_spread|spectral_unison)",
        "unison settings",
    ),
    (r"osc_\d_(phase|distortion_phase)", "phase"),
    (r"(osc_\d|sample)_(transpose_quantize|midi_track|keytrack)", "key tracking"),
    (r"sample_.*", "playback"),
    (r"filter_\d_filter_input", "input from the other filter"),
    (r"filter_\d_.*", "offset of the blend"),
    (r"env_\d_(delay|hold)", "delay and hold"),
    (r"env_\d_(attack|release)_power", "curves"),
    (r"lfo_\d_(phase|stereo)", "phase"),
    (r"lfo_\d_delay_time", "delay"),
    (r"lfo_\d_smooth_.*", "smoothing"),
    (r"lfo_\d_.*", "key tracking"),
)
_IGNORED = re.compile(
    r"modulation_\d+_.*|macro_control_.*|mod_wheel|pitch_.*|osc_\d_(view_2d|random_phase|smooth_interpolation)|"
    r"view_.*|polyphony|voice_(priority|override)|legato|portamento_.*|mpe_enabled|bypass|oversampling|beats_.*|"
    r".*_(sync|tempo)|lfo_\d_keytrack_.*|sample_random_phase|delay_aux_frequency|random_\d_.*|env_[456]_.*|lfo_[5678]_.*"
)


def part_words(control: str) -> str:
    """The part of Vital that a control belongs to: ``"osc_2_level"`` is ``"oscillator 2"``."""
    for prefix, words in _WHOLE.items():
        if control == prefix or control.startswith(f"{prefix}_"):
            return words
    match = re.match(r"(osc|env|lfo|filter|macro_control|random)_(\d)", control)
    if match:
        return f"{_PARTS[match.group(1)]} {match.group(2)}"
    return control.split("_")[0]


def modulation_words(connection: Mapping[str, str]) -> str:
    """A modulation that is dropped."""
    source, destination = connection["source"], connection["destination"]
    part = part_words(destination)
    rest = re.sub(r"^(osc|env|lfo|filter|random)_(\d|fx)_|^[a-z]+_", "", destination).replace("_", " ")
    return f"the modulation of {part} {rest} by {part_words(source) if '_' in source else source}"


def effectless(settings: Settings, place: int, connection: Mapping[str, str]) -> bool:
    """Whether a modulation of the preset does nothing: not connected, turned down, bypassed, or from a macro at 0."""
    number = place + 1
    if not connection["source"] or not connection["destination"]:
        return True
    if not settings.get(f"modulation_{number}_amount") or settings.get(f"modulation_{number}_bypass"):
        return True
    resting = connection["source"].startswith("macro_control") or connection["source"] in ("mod_wheel", "aftertouch")
    return resting and not settings.get(connection["source"], 0.0) and not settings[f"modulation_{number}_bipolar"]


def curved(settings: Settings, place: int, connection: Mapping[str, Any]) -> Iterator[str]:
    """What of a modulation that fits a slot does not."""
    number = place + 1
    if (
        "line_mapping" in connection
        or settings.get(f"modulation_{number}_power")
        or settings[f"modulation_{number}_stereo"]
    ):
        yield f"the curve of {modulation_words(connection).removeprefix('the ')}"
    if settings.get(f"modulation_{number}_bypass"):
        yield f"the bypass of {modulation_words(connection).removeprefix('the ')}"


def loose_tempo(settings: Settings, part: str) -> float:
    """The frequency, as a power of two, that a part has at the preset's own tempo."""
    sync = int(settings[f"{part}_sync"])
    if sync not in _SYNC:
        return float(settings[f"{part}_frequency"])
    ratio = _TEMPOS[min(int(settings[f"{part}_tempo"]), len(_TEMPOS) - 1)]
    frequency = float(settings["beats_per_minute"]) * ratio * _SYNC[sync]
    return math.log2(max(frequency, 2.0**-20))


def smoothed(settings: Settings, lfo: str) -> bool:
    """Whether an LFO is smoothed so that it is heard; Vital's default of 6 ms is not."""
    return bool(settings[f"{lfo}_smooth_mode"]) and settings[f"{lfo}_smooth_time"] > _SLIGHT


def own_noise(sample: Mapping[str, Any]) -> bool:
    """Whether a sample is white noise, ours or the one that Vital starts with."""
    return sample.get("samples") == noise_json()["samples"] or sample.get("name") == NAME


def left_out(settings: Settings) -> Iterator[str]:
    """Uncovered controls that are not where our presets have them, of the parts that are switched on."""
    usual = init_controls() | fixed_controls()
    covered = {name for name, _ in plain_places()}
    for name, value in usual.items():
        same = math.isclose(float(settings.get(name, value)), value, rel_tol=1e-4, abs_tol=1e-5)
        if same or name in covered or _IGNORED.fullmatch(name):
            continue
        if phrase := _phrase(settings, name):
            yield phrase
    for part in (*(f"lfo_{k}" for k in LFOS), "chorus", "delay"):
        if settings.get(f"{part}_sync") and _heard(settings, part):
            beats = round(60 * settings["beats_per_minute"])
            yield f"the tempo of {part_words(part)} (as it is at {beats} beats a minute instead)"


def _phrase(settings: Settings, name: str) -> str | None:
    if name in ("voice_tune", "voice_transpose"):
        return "the tuning of the whole voice"
    if name.startswith("stereo_"):
        return "the stereo routing"
    if name == "effect_chain_order":
        chain = [effect for effect in (*EFFECTS, *_EXTRA_EFFECTS) if settings.get(f"{effect}_on")]
        return "the order of the effects" if len(chain) > 1 else None
    for effect, words in _EXTRA_EFFECTS.items():
        if name.startswith(effect):
            return words if settings[f"{effect}_on"] else None
    if "_smooth_" in name and not smoothed(settings, name[:5]):
        return None
    part = next(iter(re.findall(r"^(?:osc|filter|env|lfo)_\d|^[a-z]+", name)))
    if not _heard(settings, part):
        return None
    aspect = next((words for pattern, words in _ASPECTS if re.fullmatch(pattern, name)), "details")
    return f"{part_words(part)}: {aspect}"


def _heard(settings: Settings, part: str) -> bool:
    if part.startswith(("lfo", "env")) and part != "env_1":
        connections = enumerate(settings.get("modulations", []))
        return any(c["source"] == part and not effectless(settings, place, c) for place, c in connections)
    return bool(settings.get(f"{part}_on", 1.0))
