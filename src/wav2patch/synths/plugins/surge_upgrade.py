"""Older patches of Surge as today's Surge takes them, as far as our parameters are touched."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from wav2patch.synths.plugins.surge_patch import Setting, SurgePatch

_SCENE_INITIAL = {
    **{f"osc{i}_keytrack": 1.0 for i in (1, 2, 3)},
    **{f"level_o{i}": 1.0 for i in (1, 2, 3)},
    **{f"route_o{i}": 1.0 for i in (1, 2, 3)},
    **{f"mute_{channel}": 1.0 for channel in ("o2", "o3", "ring12", "ring23", "noise")},
    **{f"{part}_{channel}": 1.0 for part in ("level", "route") for channel in ("ring12", "ring23", "noise")},
    **{f"env{i}_{part}": value for i in (1, 2) for part, value in (("attack", -8.0), ("decay", -2.0))},
    **{f"env{i}_{part}": value for i in (1, 2) for part, value in (("sustain", 1.0), ("release", -5.0))},
    **{f"env{i}_{part}_shape": 2.0 if part == "release" else 1.0 for i in (1, 2) for part in ("attack", "decay")},
    **{f"env{i}_release_shape": 2.0 for i in (1, 2)},
    **{f"lfo{i}_{part}": -8.0 for i in range(12) for part in ("delay", "attack", "hold")},
    **{f"lfo{i}_{part}": 1.0 for i in range(12) for part in ("magnitude", "sustain", "trigmode")},
    **{f"lfo{i}_release": 5.0 for i in range(12)},
    **{f"filter{i}_cutoff": 3.0 for i in (1, 2)},
    **{"fm_depth": -24.0, "portamento": -8.0, "volume": 0.890899, "pan2": 1.0, "lowcut": -72.0},
    **{"pbrange_up": 2.0, "pbrange_dn": 2.0, "ktrkroot": 60.0},
}
INITIAL: Mapping[str, float] = {f"{scene}_{name}": value for scene in "ab" for name, value in _SCENE_INITIAL.items()}
"""Surge's initial values of the elements that do not start at 0."""

_OFF, _LP12, _LP24, _HP12, _HP24, _BP12, _N12, _COMB = 0, 1, 2, 4, 5, 6, 7, 8
_BP24, _N24, _COMB_NEGATIVE = 23, 24, 25
_SAMPLE_AND_HOLD = 9
_FILTERS = tuple(f"{scene}_filter{i}" for scene in "ab" for i in (1, 2))


def upgrade(patch: SurgePatch) -> SurgePatch:
    """The same patch in today's numbers; the changes are those of Surge's own reader (`SurgePatch::load_xml`)."""
    settings = dict(patch.settings)
    for name in _FILTERS:
        kind, subtype = (int(_value(settings, f"{name}_{part}")) for part in ("type", "subtype"))
        if patch.revision < 6:
            resonance = _resonance(kind, _value(settings, f"{name}_resonance"))
            settings[f"{name}_resonance"] = _changed(settings, f"{name}_resonance", resonance)
        if patch.revision < 4:
            kind, subtype = _early_comb(kind, subtype, patch.revision)
        if patch.revision < 8:
            subtype = _early_subtype(kind, subtype, patch.revision)
        if patch.revision < 15:
            kind, subtype = _split_types(kind, subtype)
        settings[f"{name}_type"] = _changed(settings, f"{name}_type", kind)
        settings[f"{name}_subtype"] = _changed(settings, f"{name}_subtype", subtype)
    return replace(patch, settings=settings)


def _value(settings: Mapping[str, Setting], name: str) -> float:
    return settings[name].value if name in settings else INITIAL.get(name, 0.0)


def _changed(settings: Mapping[str, Setting], name: str, value: float) -> Setting:
    return replace(settings.get(name, Setting(0.0)), value=float(value))


def _resonance(kind: int, value: float) -> float:
    if kind in (_LP24, _HP24):
        return value * 0.99 / 1.05
    if kind not in (_LP12, _HP12, _BP12):
        return value
    inverse_q = 1 - 0.99 * min(max(1 - (1 - value) ** 2, 0.0), 1.0)
    return 1 - math.sqrt(1 - (1 - inverse_q) / 1.05)


def _early_comb(kind: int, subtype: int, revision: int) -> tuple[int, int]:
    if revision < 3 and kind == _COMB:
        return _COMB, 1
    if kind == _SAMPLE_AND_HOLD:
        return _COMB, 3 if revision < 3 else subtype + 2
    return kind, subtype


def _early_subtype(kind: int, subtype: int, revision: int) -> int:
    if kind in (_LP12, _LP24, _HP12, _HP24, _BP12):
        return 0 if revision < 6 else 1
    return 1 if kind == _N12 else subtype


def _split_types(kind: int, subtype: int) -> tuple[int, int]:
    """One type's subtypes became types of their own in Surge 1.9."""
    later = {_BP12: (3, _BP24), _N12: (2, _N24), _COMB: (2, _COMB_NEGATIVE)}
    if kind in later and subtype >= later[kind][0]:
        return later[kind][1], subtype - later[kind][0]
    return kind, subtype
