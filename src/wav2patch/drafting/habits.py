"""How a plug-in has to be treated: what is left over from the render before, and whether it plays dice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from wav2patch.drafting.bench import Bench, Maker, Report, bench, is_silent
from wav2patch.drafting.hearing import apart
from wav2patch.drafting.raw import scatter
from wav2patch.parameters import Patch
from wav2patch.synths.plugins.spec import PluginSpec, Setting

TREATMENTS = (Setting(), Setting(flush=0.5), Setting(flush=2.0), Setting(reload=True))
"""From the cheapest to the dearest."""

AUDIBLE_DB = 0.05
_STAGE = "listening for leftovers and chance"


@dataclass(frozen=True)
class Habits:
    """What was found.

    Attributes:
        setting: The mildest treatment after which a patch sounds the same whatever was played before.
        leak: How far a patch still changes after another was played, beyond its own chance, in decibels.
        chance: Largest distance between renders of one patch, in decibels.
    """

    setting: Setting
    leak: float
    chance: float


def find_habits(spec: PluginSpec, make: Maker, report: Report, seed: int, pairs: int = 4) -> Habits:
    """Try treatments until nothing leaks, and then whether a fresh instance rids the plug-in of chance."""
    tried: list[Habits] = []
    for i, setting in enumerate(TREATMENTS):
        report(_STAGE, i / (len(TREATMENTS) + 1))
        tried.append(_try(spec, setting, make, seed, pairs))
        if tried[-1].leak <= AUDIBLE_DB:
            break
    best = min(tried, key=lambda habits: (habits.leak > AUDIBLE_DB, habits.leak if habits.leak > AUDIBLE_DB else 0.0))
    if best.chance > AUDIBLE_DB and not best.setting.reload:
        fresh = _try(spec, Setting(reload=True), make, seed, pairs)
        best = fresh if fresh.chance < best.chance / 4 and fresh.leak <= AUDIBLE_DB else best
    report(_STAGE, 1.0)
    return best


def _try(spec: PluginSpec, setting: Setting, make: Maker, seed: int, pairs: int) -> Habits:
    # One worker: what is left over has to meet the next render.
    with bench(replace(spec, setting=setting), make, lambda stage, part: None, workers=1) as place:
        patches = _sounding(spec, place, seed, 2 * pairs)
        leftovers, chances = [0.0], [0.0]
        for one, other in zip(patches[::2], patches[1::2], strict=False):
            _, first, again, _, after = place.hear([one, one, one, other, one])
            if first and again and after:
                chances.append(apart(first, again))
                leftovers.append(min(apart(first, after), apart(again, after)))
    return Habits(setting, _leak(leftovers, chances), max(chances))


def _leak(leftovers: Sequence[float], chances: Sequence[float]) -> float:
    """What another patch leaves behind: the worst case, or where there is chance, what goes beyond that on average."""
    if max(chances) <= AUDIBLE_DB:
        return max(leftovers)
    return max(0.0, sum(leftovers) - 1.5 * sum(chances)) / len(chances)


def _sounding(spec: PluginSpec, place: Bench, seed: int, count: int) -> list[Patch]:
    drawn = scatter(spec.space, 0.4, np.random.default_rng([seed, 1]), 3 * count)
    patches = [spec.space.default, *drawn]
    heard = place.hear(patches)
    return [p for p, h in zip(patches, heard, strict=True) if h is not None and not is_silent(h)][:count]
