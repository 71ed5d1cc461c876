"""The part of Vital that is searched: 159 parameters, named as Vital names its controls.

Source: the controls that vita lists with their ranges. Left out is what a mono mix cannot hear (panning, stereo
spreads), what is left to chance (random phase, random LFOs), what belongs to a performance (macros, portamento,
polyphony, tempo) and what few presets touch. What is left out stands at the values of `settings.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from wav2patch.parameters import Categorical, Discrete, Parameter, ParameterSpace
from wav2patch.structure import Block
from wav2patch.synths.vital.activity import activities, symmetries
from wav2patch.synths.vital.controls import native
from wav2patch.synths.vital.names import (
    DESTINATIONS,
    DISTORTIONS,
    EFFECTS,
    ENVELOPES,
    FILTER_MODELS,
    FILTER_STYLES,
    FILTERS,
    LFOS,
    MORPHS,
    OSCILLATORS,
    ROUTES,
    SLOTS,
    SOURCES,
    SWITCH,
    fields,
)
from wav2patch.synths.vital.shapes import SHAPES

_SYNC_TYPES = ("trigger", "sync", "envelope", "sustain envelope", "loop point", "loop hold")
_DRIVES = ("soft clip", "hard clip", "linear fold", "sine fold", "bit crush", "down sample")
_USUAL_ROUTES = {"osc_1": 0, "osc_2": 1, "osc_3": 3}
_DELAY_STYLES = ("mono", "stereo", "ping pong", "mid ping pong")


@cache
def vital_space() -> ParameterSpace:
    """The parameters of Vital that a patch holds."""
    parameters: list[Parameter] = []
    for k in OSCILLATORS:
        parameters += _oscillator(f"osc_{k}", f"Oscillator {k}")
    parameters += _sample()
    for k in FILTERS:
        parameters += _filter(f"filter_{k}", f"Filter {k}")
    parameters.append(Categorical("filter_2_filter_input", SWITCH, 0, "Filter 1 into filter 2"))
    for k in ENVELOPES:
        parameters += _envelope(f"env_{k}", f"Envelope {k}")
    for k in LFOS:
        parameters += _lfo(f"lfo_{k}", f"LFO {k}")
    parameters += [*_drive(), *_chorus(), *_delay(), *_reverb(), *_equalizer(), *_compressor()]
    for k in SLOTS:
        parameters += _slot(f"modulation_{k}", f"Modulation {k}")
    parameters.append(native("volume", 1600.0, 7399.44, 5473.04, "dB", "Volume", "volume"))
    parameters.append(native("velocity_track", 0.0, 1.0, 0.0, "%", "Velocity to level", "percent"))
    return ParameterSpace(tuple(parameters), tuple(_blocks()), tuple(activities()), tuple(symmetries()))


def _oscillator(name: str, label: str) -> Iterator[Parameter]:
    yield Categorical(f"{name}_on", SWITCH, int(name == "osc_1"), label)
    yield native(f"{name}_wave_frame", 0.0, 256.0, 256.0, "", f"{label} wave (0 sine … 256 saw)")
    yield Discrete(f"{name}_transpose", -48, 48, 0, "semitones", f"{label} transpose")
    yield native(f"{name}_tune", -1.0, 1.0, 0.0, "cents", f"{label} tune", "percent")
    yield native(f"{name}_level", 0.0, 1.0, 0.70710678, "", f"{label} level", "square")
    yield Discrete(f"{name}_unison_voices", 1, 16, 1, "", f"{label} unison voices")
    yield native(f"{name}_unison_detune", 0.0, 10.0, 4.4721359, "%", f"{label} unison detune", "square")
    yield Categorical(f"{name}_spectral_morph_type", MORPHS, 0, f"{label} spectral morph")
    yield native(f"{name}_spectral_morph_amount", 0.0, 1.0, 0.5, "%", f"{label} spectral morph amount", "percent")
    yield Categorical(f"{name}_distortion_type", DISTORTIONS, 0, f"{label} phase distortion")
    yield native(f"{name}_distortion_amount", 0.0, 1.0, 0.5, "%", f"{label} phase distortion amount", "percent")
    yield Categorical(f"{name}_destination", ROUTES, _USUAL_ROUTES[name], f"{label} goes to")


def _sample() -> Iterator[Parameter]:
    yield Categorical("sample_on", SWITCH, 0, "Noise")
    yield native("sample_level", 0.0, 1.0, 0.70710678, "", "Noise level", "square")
    yield Discrete("sample_transpose", -48, 48, 0, "semitones", "Noise transpose")
    yield Categorical("sample_destination", ROUTES, 3, "Noise goes to")


def _filter(name: str, label: str) -> Iterator[Parameter]:
    yield Categorical(f"{name}_on", SWITCH, 0, label)
    yield Categorical(f"{name}_model", FILTER_MODELS, 0, f"{label} model")
    yield Categorical(f"{name}_style", FILTER_STYLES, 0, f"{label} style")
    yield native(f"{name}_cutoff", 8.0, 136.0, 60.0, "Hz", f"{label} cutoff", "cutoff")
    yield native(f"{name}_resonance", 0.0, 1.0, 0.5, "%", f"{label} resonance", "percent")
    yield native(f"{name}_drive", 0.0, 20.0, 0.0, "dB", f"{label} drive")
    yield native(f"{name}_blend", 0.0, 2.0, 0.0, "", f"{label} blend (0 low … 2 high pass)")
    yield native(f"{name}_keytrack", -1.0, 1.0, 0.0, "%", f"{label} key tracking", "percent")
    yield native(f"{name}_mix", 0.0, 1.0, 1.0, "%", f"{label} mix", "percent")


def _envelope(name: str, label: str) -> Iterator[Parameter]:
    yield native(f"{name}_attack", 0.0, 2.37842, 0.1495, "s", f"{label} attack", "fourth power")
    yield native(f"{name}_decay", 0.0, 2.37842, 1.0, "s", f"{label} decay", "fourth power")
    yield native(f"{name}_decay_power", -20.0, 20.0, -2.0, "", f"{label} decay curve")
    yield native(f"{name}_sustain", 0.0, 1.0, 1.0, "", f"{label} sustain")
    yield native(f"{name}_release", 0.0, 2.37842, 0.5476, "s", f"{label} release", "fourth power")


def _lfo(name: str, label: str) -> Iterator[Parameter]:
    yield Categorical(f"{name}_shape", SHAPES, 0, f"{label} shape")
    yield native(f"{name}_frequency", -4.0, 6.0, 1.0, "Hz", f"{label} frequency", "power of two")
    yield Categorical(f"{name}_sync_type", _SYNC_TYPES, 0, f"{label} mode")
    yield native(f"{name}_fade_time", 0.0, 8.0, 0.0, "s", f"{label} fade in")


def _drive() -> Iterator[Parameter]:
    yield Categorical("distortion_on", SWITCH, 0, "Distortion")
    yield Categorical("distortion_type", _DRIVES, 0, "Distortion type")
    yield native("distortion_drive", -30.0, 30.0, 0.0, "dB", "Distortion drive")
    yield native("distortion_mix", 0.0, 1.0, 1.0, "%", "Distortion mix", "percent")


def _chorus() -> Iterator[Parameter]:
    yield Categorical("chorus_on", SWITCH, 0, "Chorus")
    yield Discrete("chorus_voices", 1, 4, 4, "pairs", "Chorus voices")
    yield native("chorus_frequency", -6.0, 3.0, -3.0, "Hz", "Chorus frequency", "power of two")
    yield native("chorus_mod_depth", 0.0, 1.0, 0.5, "%", "Chorus depth", "percent")
    yield native("chorus_feedback", -0.95, 0.95, 0.4, "%", "Chorus feedback", "percent")
    yield native("chorus_dry_wet", 0.0, 1.0, 0.5, "%", "Chorus mix", "percent")


def _delay() -> Iterator[Parameter]:
    yield Categorical("delay_on", SWITCH, 0, "Delay")
    yield Categorical("delay_style", _DELAY_STYLES, 0, "Delay style")
    yield native("delay_frequency", -2.0, 9.0, 2.0, "s", "Delay time", "inverse power of two")
    yield native("delay_feedback", -1.0, 1.0, 0.5, "%", "Delay feedback", "percent")
    yield native("delay_filter_cutoff", 8.0, 136.0, 60.0, "Hz", "Delay filter", "cutoff")
    yield native("delay_dry_wet", 0.0, 1.0, 0.3334, "%", "Delay mix", "percent")


def _reverb() -> Iterator[Parameter]:
    yield Categorical("reverb_on", SWITCH, 0, "Reverb")
    yield native("reverb_size", 0.0, 1.0, 0.5, "%", "Reverb size", "percent")
    yield native("reverb_decay_time", -6.0, 6.0, 0.0, "s", "Reverb time", "power of two")
    yield native("reverb_pre_high_cutoff", 0.0, 128.0, 110.0, "Hz", "Reverb low-pass", "cutoff")
    yield native("reverb_dry_wet", 0.0, 1.0, 0.25, "%", "Reverb mix", "percent")


def _equalizer() -> Iterator[Parameter]:
    yield Categorical("eq_on", SWITCH, 0, "Equalizer")
    for band, cutoff in (("low", 40.0), ("band", 80.0), ("high", 100.0)):
        yield native(f"eq_{band}_cutoff", 8.0, 136.0, cutoff, "Hz", f"Equalizer {band} frequency", "cutoff")
        yield native(f"eq_{band}_gain", -15.0, 15.0, 0.0, "dB", f"Equalizer {band} gain")
    yield native("eq_band_resonance", 0.0, 1.0, 0.4473, "%", "Equalizer band width", "percent")


def _compressor() -> Iterator[Parameter]:
    yield Categorical("compressor_on", SWITCH, 0, "Compressor")
    for band, gain in (("low", 16.3), ("band", 11.7), ("high", 16.3)):
        yield native(f"compressor_{band}_gain", -30.0, 30.0, gain, "dB", f"Compressor {band} gain")
    yield native("compressor_mix", 0.0, 1.0, 1.0, "%", "Compressor mix", "percent")


def _slot(name: str, label: str) -> Iterator[Parameter]:
    yield Categorical(f"{name}_source", SOURCES, 0, f"{label} from")
    yield Categorical(f"{name}_destination", DESTINATIONS, 0, f"{label} to")
    yield native(f"{name}_amount", -1.0, 1.0, 0.0, "%", f"{label} amount", "percent")
    yield Categorical(f"{name}_bipolar", SWITCH, 0, f"{label} both ways")


def _blocks() -> Iterator[Block]:
    for k in OSCILLATORS:
        whole = f"osc_{k}"
        yield Block(whole, "oscillator", fields(whole))
        for part, names in _OSCILLATOR_PARTS.items():
            yield Block(f"{whole}_{part}", part, tuple(f"{whole}_{name}" for name in names), whole)
    yield Block("sample", "sample", fields("sample"))
    for k in FILTERS:
        yield Block(f"filter_{k}", "filter", fields(f"filter_{k}"))
    yield Block("filter_routing", "filter_routing", ("filter_2_filter_input",))
    for k in ENVELOPES:
        yield Block(f"env_{k}", "envelope", fields(f"env_{k}"))
    for k in LFOS:
        yield Block(f"lfo_{k}", "lfo", fields(f"lfo_{k}"))
    for effect in EFFECTS:
        yield Block(effect, effect, fields(effect))
    for k in SLOTS:
        yield Block(f"modulation_{k}", "modulation", fields(f"modulation_{k}"))
    yield Block("voice", "voice", ("volume", "velocity_track"))


_OSCILLATOR_PARTS = {
    "switch": ("on", "level", "destination"),
    "wave": ("wave_frame",),
    "pitch": ("transpose", "tune"),
    "unison": ("unison_voices", "unison_detune"),
    "morph": ("spectral_morph_type", "spectral_morph_amount"),
    "phase_distortion": ("distortion_type", "distortion_amount"),
}
