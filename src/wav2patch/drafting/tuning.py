"""Bringing the default patch in tune: many plug-ins open an octave or two away from the key that is played."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from wav2patch.drafting.bench import Bench
from wav2patch.drafting.words import is_pitch
from wav2patch.parameters import Continuous, Parameter, ParameterSpace, Patch
from wav2patch.synths.plugins.spec import PluginSpec, on_grid

IN_TUNE = 40.0
"""Cents that a patch may be off."""

_POSITIONS = 25


def in_tune(spec: PluginSpec, place: Bench) -> PluginSpec:
    """The spec with defaults whose sound has the pitch of the key, where one turn of a tuning control brings it there.

    One control is tried at a time, and those alike of all oscillators together. Where the default is in tune, has no
    pitch, or nothing helps, the spec comes back as it is.
    """
    space = spec.space
    (off,) = place.off_key([space.default])
    if off is None or abs(off) <= IN_TUNE:
        return spec
    tries = [patch for turned in _turned(space) for patch in turned]
    tuned = [p for p, o in zip(tries, place.off_key(tries), strict=True) if o is not None and abs(o) <= IN_TUNE]
    if not tuned:
        return spec
    # Fewest controls moved, and these the least.
    best = min(tuned, key=lambda p: ((p != space.default).sum(), float(_moved(space, p).max())))
    knobs = (
        replace(knob, parameter=replace(knob.parameter, default=_default(knob.parameter, value)))
        for knob, value in zip(spec.knobs, best.tolist(), strict=True)
    )
    return replace(spec, knobs=tuple(knobs))


def _turned(space: ParameterSpace) -> Iterator[list[Patch]]:
    """For each tuning control, and for each family of them, the default with it at many positions."""
    places = [i for i, name in enumerate(space.names) if is_pitch(name)]
    yield from (_along(space, [i]) for i in places)
    families: dict[str, list[int]] = {}
    for i in places:
        families.setdefault(re.sub(r"\d", "", space.names[i]), []).append(i)
    yield from (_along(space, members) for members in families.values() if len(members) > 1)


def _along(space: ParameterSpace, places: list[int]) -> list[Patch]:
    low, high = space.low[places], space.high[places]
    patches = np.repeat(space.default[None], _POSITIONS, axis=0)
    patches[:, places] = low + np.linspace(0, 1, _POSITIONS)[:, None] * (high - low)
    return list(np.unique(space.snap(patches), axis=0))


def _moved(space: ParameterSpace, patch: Patch) -> Patch:
    return np.abs(patch - space.default) / np.maximum(space.high - space.low, 1e-9)


def _default(parameter: Parameter, value: float) -> float | int:
    return on_grid(parameter, value) if isinstance(parameter, Continuous) else round(value)
