"""Surge XT's controls: their order in a host, their names in patch files, and what their values mean.

Surge lists eight macros, the controls of the whole instrument, the two scenes, and a bypass. In a patch file each of
them, but macros and bypass, is an element with a plain value: `a_filter1_cutoff` in semitones from A 440, say. The
host's normalised value v stands for low + v (high − low), and for whole numbers for the step that is nearest to
(v − 0.005) / 0.99. Names, order and ranges are those of Surge XT's public source (`SurgePatch.cpp`, `Parameter.cpp`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

MACROS = 8
EFFECT_SLOTS = 16
EFFECT_CONTROLS = 12
MODERN, CHORUS, DELAY, REVERB2 = 8, 9, 1, 11

_WHOLE_MARGIN, _WHOLE_SPAN = 0.005, 0.99


@dataclass(frozen=True)
class Element:
    """A control as an element of a patch file.

    Attributes:
        name: Of the element.
        low: Value at the host's 0.
        high: Value at the host's 1.
        whole: Whether it takes whole numbers only.
    """

    name: str
    low: float
    high: float
    whole: bool = False

    def value(self, normalised: float) -> float:
        """What the patch file holds for a host's value, 0 to 1: a float32, as Surge computes it, or a whole number."""
        if self.whole:
            steps = (normalised - _WHOLE_MARGIN) / _WHOLE_SPAN * (self.high - self.low)
            return self.low + int(max(steps, 0) + 0.5)
        low, high = np.float32(self.low), np.float32(self.high)
        return float(np.float32(normalised) * (high - low) + low)

    def normalised(self, value: float) -> float:
        """The host's value for one of a patch file, beyond 0 to 1 where that lies outside the range."""
        place = (value - self.low) / (self.high - self.low)
        return _WHOLE_MARGIN + _WHOLE_SPAN * place if self.whole else place


@cache
def names() -> tuple[str, ...]:
    """Names of all 775 controls by their place in the host's list; `bypass` and macros have no element."""
    effects = [f"fx{slot}_{part}" for slot in range(1, EFFECT_SLOTS + 1) for part in _EFFECT]
    scenes = [f"{scene}_{part}" for scene in "ab" for part in _scene()]
    macros = [f"macro{i}" for i in range(1, MACROS + 1)]
    return (*macros, *_GLOBAL, *effects, "character", *scenes, "bypass")


@cache
def element(name: str) -> Element:
    """The element of this name; of effects and oscillators as chorus, delay, reverb 2 and Modern have them.

    Raises:
        KeyError: Its range is not known here, as no synth of ours uses it.
    """
    for pattern, low, high in _WHOLE:
        if re.fullmatch(pattern, name):
            return Element(name, low, high, whole=True)
    for pattern, low, high in _FLOATS:
        if re.fullmatch(pattern, name):
            return Element(name, low, high)
    raise KeyError(name)


_EFFECT = ("type", *(f"p{i}" for i in range(EFFECT_CONTROLS)))
_GLOBAL = (
    *(f"volume_FX{i}" for i in range(1, 5)),
    *("volume", "scene_active", "scenemode", "splitkey", "fx_disable", "polylimit", "fx_bypass"),
)
_SCENE_GLOBAL = (
    *("octave", "pitch", "portamento", "polymode", "fm_switch", "fm_depth", "drift", "noisecol", "ktrkroot"),
    *("volume", "pan", "pan2", "send_fx_1", "send_fx_2", "send_fx_3", "send_fx_4", "pbrange_up", "pbrange_dn"),
    *("vca_level", "vca_velsense", "feedback", "fb_config", "f_balance", "lowcut", "ws_type", "ws_drive"),
    *("f2_cf_is_offset", "f2_link_resonance"),
)
_OSCILLATOR = ("type", "octave", "pitch", *(f"param{i}" for i in range(7)), "keytrack", "retrigger")
_ENVELOPE = ("attack", "attack_shape", "decay", "decay_shape", "sustain", "release", "release_shape", "mode")
_FILTER = ("type", "subtype", "cutoff", "resonance", "envmod", "keytrack")
_LFO = (
    *("shape", "rate", "phase", "magnitude", "deform", "trigmode", "unipolar", "delay", "attack", "hold", "decay"),
    *("sustain", "release"),
)
_CHANNELS = ("o1", "o2", "o3", "ring12", "ring23", "noise")


def _scene() -> list[str]:
    return [
        *_SCENE_GLOBAL,
        *(f"osc{i}_{part}" for i in (1, 2, 3) for part in _OSCILLATOR),
        *(f"{part}_{channel}" for channel in _CHANNELS for part in ("level", "mute", "solo", "route")),
        "level_pfg",
        *(f"filter{i}_{part}" for i in (1, 2) for part in _FILTER),
        *(f"env{i}_{part}" for i in (1, 2) for part in _ENVELOPE),
        *(f"lfo{i}_{part}" for i in range(12) for part in _LFO),
    ]


# Types count to 40 or so, by Surge's version; a patch file holds the plain number, which has stayed the same.
_WHOLE = (
    (r"scene_active|fx_disable|._(mute|solo)_.*|._osc\d_(keytrack|retrigger)|._lfo\d+_unipolar", 0, 1),
    (r"._f2_.*|._env\d_mode", 0, 1),
    (r"polylimit", 2, 64),
    (r"fx_bypass|scenemode|._fm_switch", 0, 3),
    (r"._route_.*|._env\d_attack_shape|._env\d_(decay|release)_shape|._lfo\d+_trigmode", 0, 2),
    (r"._osc\d_octave|._octave", -3, 3),
    (r"._osc\d_type", 0, 12),
    (r"._osc\d_param6", 1, 16),
    (r"._polymode", 0, 5),
    (r"._fb_config", 0, 7),
    (r"._ws_type", 0, 42),
    (r"._filter\d_type", 0, 33),
    (r"._filter\d_subtype", 0, 3),
    (r"._lfo\d+_shape", 0, 9),
    (r"fx\d+_type", 0, 31),
)
_FLOATS = (
    (r"volume", -48, 0),
    (r"._(env|lfo)\d+_(attack|hold|decay|release|delay)", -8, 5),
    (r"._(env|lfo)\d+_sustain|._lfo\d+_(magnitude|phase)|._level_(o\d|ring\d+|noise)", 0, 1),
    (r"._lfo\d+_rate", -7, 9),
    (r"._lfo\d+_deform|._feedback|._f_balance|._pan2?|._noisecol|._osc\d_param[012]|._filter\d_keytrack", -1, 1),
    (r"._filter\d_cutoff", -60, 70),
    (r"._filter\d_resonance|._osc\d_param[35]|._drift|._volume", 0, 1),
    (r"._filter\d_envmod", -96, 96),
    (r"._lowcut", -72, 15),
    (r"._ws_drive", -24, 24),
    (r"._vca_level|._level_pfg", -48, 48),
    (r"._vca_velsense", -48, 0),
    (r"._fm_depth", -48, 24),
    (r"._(osc\d_)?pitch", -7, 7),
    (r"._osc\d_param4", 0, 60),
    (r"fx1_p0", -11, -3),
    (r"fx1_p1|fx2_p6", -7, 9),
    (r"fx1_p[236]|fx2_p(2|3|10)|fx9_p[345679]", 0, 1),
    (r"fx[12]_p[45]", -60, 70),
    (r"fx1_p7|fx2_p11|fx9_p8", -24, 24),
    (r"fx2_p[01]", -8, 5),
    (r"fx2_p7", 0, 2),
    (r"fx2_p8|fx9_p1", -1, 1),
    (r"fx9_p0", -8, 1),
    (r"fx9_p2", -4, 6),
)
