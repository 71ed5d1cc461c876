"""What Surge XT calls its types, by their numbers in a patch file."""

from __future__ import annotations

import re
from collections.abc import Sequence

OSCILLATORS = (
    *("Classic", "Sine", "Wavetable", "S&H Noise", "Audio Input", "FM3", "FM2", "Window", "Modern", "String", "Twist"),
    "Alias",
)
EFFECTS = (
    *("off", "Delay", "Reverb 1", "Phaser", "Rotary Speaker", "Distortion", "EQ", "Frequency Shifter", "Conditioner"),
    *("Chorus", "Vocoder", "Reverb 2", "Flanger", "Ring Modulator", "Airwindows", "Neuron", "Graphic EQ", "Resonator"),
    *("CHOW", "Exciter", "Ensemble", "Combulator", "Nimbus", "Tape", "Treemonster", "Waveshaper", "Mid-Side Tool"),
    *("Spring Reverb", "Bonsai", "Audio Input", "Floaty Delay", "Convolution"),
)
FILTERS = (
    *("off", "LP 12 dB", "LP 24 dB", "LP Legacy Ladder", "HP 12 dB", "HP 24 dB", "BP 12 dB", "N 12 dB", "FX Comb +"),
    *("FX Sample & Hold", "LP Vintage Ladder", "LP OB-Xd 12 dB", "LP OB-Xd 24 dB", "LP K35", "HP K35"),
    *("LP Diode Ladder", "LP Cutoff Warp", "HP Cutoff Warp", "N Cutoff Warp", "BP Cutoff Warp", "HP OB-Xd 12 dB"),
    *("N OB-Xd 12 dB", "BP OB-Xd 12 dB", "BP 24 dB", "N 24 dB", "FX Comb -", "FX Allpass", "FX Cutoff Warp AP"),
    *("LP Res Warp", "HP Res Warp", "N Res Warp", "BP Res Warp", "FX Res Warp AP", "MULTI Tri-pole", "MULTI Fast SVF"),
    "MULTI Xpander",
)
LFOS = (
    *("Sine", "Triangle", "Square", "Sawtooth", "Noise", "Sample & Hold", "Envelope", "Step Sequencer", "MSEG"),
    "Formula",
)
SCENE_MODES = ("single", "key split", "dual", "channel split")
FILTER_CONFIGURATIONS = ("Serial 1", "Serial 2", "Serial 3", "Dual 1", "Dual 2", "Stereo", "Ring", "Wide")

CHOICES = {
    "filter1_type": FILTERS,
    "filter2_type": FILTERS,
    "_shape": LFOS,
    "_fb_config": FILTER_CONFIGURATIONS,
}
"""Names of types by the endings of the elements that hold their numbers."""

_PARTS = (
    (r"^a_", ""),
    (r"^(level|mute|solo|route)_o(\d)$", r"osc \2 \1"),
    (r"^(level|mute|solo|route)_ring(\d)(\d)$", r"ring modulation \2x\3 \1"),
    (r"^(level|mute|solo|route)_noise$", r"noise \1"),
    (r"^env1_", "amp EG "),
    (r"^env2_", "filter EG "),
    (r"^pan2$", "stereo width"),
    (r"^f2_cf_is_offset$", "filter 2 offset mode"),
    (r"^f2_link_resonance$", "filter 2 resonance link"),
    (r"^level_pfg$", "pre-filter gain"),
    (r"^fb_config$", "filter configuration"),
    (r"^f_balance$", "filter balance"),
    (r"^ws_", "waveshaper "),
    (r"^fm_switch$", "FM routing"),
    (r"^fm_depth$", "FM depth"),
    (r"^noisecol$", "noise color"),
    (r"^drift$", "oscillator drift"),
    (r"^lowcut$", "highpass"),
    (r"^vca_level$", "VCA gain"),
    (r"^polymode$", "play mode"),
    (r"^volume$", "volume"),
    (r"^(osc|filter)(\d)_", r"\1 \2 "),
    (r"_", " "),
)


def called(names: Sequence[str], number: int) -> str:
    """The name of a type, or its number where a later Surge has added it."""
    return names[number] if 0 <= number < len(names) else f"{number}"


def phrase(name: str) -> str:
    """An element's name, or a parameter's label, in the middle of a sentence."""
    if number := re.fullmatch(r"a_lfo(\d+)_(\w+)", name):
        return f"LFO {int(number[1]) + 1} {number[2].replace('_', ' ')}"
    for pattern, text in _PARTS:
        name = re.sub(pattern, text, name)
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
