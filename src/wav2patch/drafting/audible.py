"""Which controls can be heard: each is moved in several patches until a render differs by more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wav2patch.drafting.bench import Bench, changed, is_silent
from wav2patch.drafting.hearing import Heard, apart, spread, stands_out
from wav2patch.drafting.raw import scatter
from wav2patch.errors import UserError
from wav2patch.parameters import Continuous, Parameter, ParameterSpace, Patch

SLIGHTEST_DB = 0.05
EXACT_DB = 1e-6
_STAGE = "listening to every control"
_REPEATS = 5
_CONFIRMATIONS = 4
_CLEAR_DB = 1.0


@dataclass(frozen=True, eq=False)
class Base:
    """A patch that sounds, with what its renders differ by.

    Attributes:
        patch: ``(P,)``.
        renders: One, or several where the plug-in plays dice.
    """

    patch: Patch
    renders: tuple[Heard, ...]

    @property
    def floor(self) -> float:
        """Largest distance among its renders, in decibels."""
        return spread(self.renders)

    @property
    def threshold(self) -> float:
        """Distance above which a change is heard."""
        return max(SLIGHTEST_DB, 1.3 * self.floor)

    @property
    def alike(self) -> float:
        """Distance up to which two renders are the same sound."""
        return 1.3 * self.floor + EXACT_DB

    def distance(self, heard: Heard) -> float:
        """From the nearest of its renders."""
        return min(apart(render, heard) for render in self.renders)

    def change(self, heard: Sequence[Heard]) -> float:
        """How far renders are beyond what chance makes of this patch, in decibels; 0 or less is no change."""
        beyond = min(self.distance(render) for render in heard) - self.threshold
        return max(beyond, stands_out(self.renders, heard) - _CLEAR_DB) if len(self.renders) > 1 else beyond


@dataclass(frozen=True, eq=False)
class Found:
    """Where a parameter was heard: its place in the space, the base, the value it was moved to, and how clearly."""

    place: int
    base: Base
    value: float
    change: float


def find_bases(space: ParameterSpace, place: Bench, seed: int, count: int, *, random: bool) -> list[Base]:
    """Patches to move controls in: the default and draws around it that sound, with ever more parameters moved.

    Raises:
        UserError: No patch makes a sound.
    """
    generator = np.random.default_rng([seed, 2])
    strengths = np.linspace(0.25, 0.8, 3 * count)
    patches = [space.default, *(scatter(space, float(s), generator, 1)[0] for s in strengths)]
    heard = place.hear(patches)
    sounding = [(p, h) for p, h in zip(patches, heard, strict=True) if h is not None and not is_silent(h)]
    if not sounding:
        reason = f" ({place.failures[0]})" if place.failures else ""
        raise UserError(f"none of {len(patches)} patches made a sound{reason}: is the plug-in an instrument?")
    # Spread over the strengths, the first one always among them.
    kept = [sounding[round(i)] for i in np.unique(np.linspace(0, len(sounding) - 1, count).round())]
    repeats = _REPEATS if random else 3
    bases = [Base(patch, (heard,)) for patch, heard in kept]
    for _ in range(repeats - 1):
        # In this order each is played after another one than before: what is left over shows as chance.
        bases = [
            Base(b.patch, (*b.renders, h))
            for b, h in zip(bases, place.hear([b.patch for b in bases]), strict=True)
            if h
        ]
    exact = [Base(base.patch, base.renders[:1]) for base in bases if base.floor <= EXACT_DB]
    return exact if not random and len(exact) >= min(3, len(bases)) else bases


def find_audible(space: ParameterSpace, place: Bench, bases: Sequence[Base], *, random: bool) -> dict[int, Found]:
    """For every parameter that was heard in any base, where; its place in the space is the key."""
    found: dict[int, Found] = {}
    for turn, base in enumerate(bases):
        waiting = [i for i in range(len(space)) if i not in found]
        tries = [(i, value) for i in waiting for value in _values(space.parameters[i], base.patch[i])]
        span = (turn / len(bases), (turn + 1) / len(bases))
        heard = place.hear([changed(base.patch, i, value) for i, value in tries], _STAGE, *span)
        best: dict[int, Found] = {}
        for (i, value), render in zip(tries, heard, strict=True):
            change = base.change([render]) if render else 0.0
            if change > 0 and (i not in best or change > best[i].change):
                best[i] = Found(i, base, value, change)
        found |= _confirmed(place, best, _CONFIRMATIONS if random else 1)
    return found


def _confirmed(place: Bench, found: dict[int, Found], times: int) -> dict[int, Found]:
    """Those that are heard in more renders too: among hundreds of comparisons chance alone would pass some."""
    # In rounds, as the last render might be what the next one owes its difference to.
    rounds = [place.hear([changed(f.base.patch, f.place, f.value) for f in found.values()]) for _ in range(times)]
    bases = {item.base for item in found.values()} if times > 1 else set()
    wider = {base: _wider(place, base) for base in bases}
    confirmed = {}
    for i, item, renders in zip(found, found.values(), zip(*rounds, strict=True), strict=True):
        known = [heard for heard in renders if heard is not None]
        if len(known) == times and wider.get(item.base, item.base).change(known) > 0:
            confirmed[i] = item
    return confirmed


def _wider(place: Bench, base: Base) -> Base:
    """The same base with twice the renders: what chance can do shows only in many."""
    more = place.hear([base.patch] * len(base.renders))
    return Base(base.patch, (*base.renders, *(heard for heard in more if heard is not None)))


def _values(parameter: Parameter, value: float) -> list[float]:
    """Values to move to: both ends and the middle of a range, or up to four other steps."""
    if isinstance(parameter, Continuous):
        middle = (parameter.low + parameter.high) / 2
        return [v for v in (parameter.low, parameter.high, middle) if abs(v - value) > 0.05]
    others = [v for v in range(parameter.low, parameter.high + 1) if v != value]
    return [float(others[round(i)]) for i in np.unique(np.linspace(0, len(others) - 1, 4).round())] if others else []
