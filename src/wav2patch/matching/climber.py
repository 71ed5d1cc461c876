"""A climber: one patch that is improved by small and large changes, and learns which of its parameters matter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wav2patch.matching.evaluator import Scored
from wav2patch.matching.moves import Moves
from wav2patch.parameters import ParameterSpace, Patch

_GROW, _SHRINK = 1.5, 0.9
_HOPE, _RISE, _FADE = 0.05, 0.3, 0.95
_SPREAD = 0.7


class Climber:
    """Greedy search from one patch.

    Small changes move one to three active parameters. Each parameter has a step of its own, which grows when a
    change helped and shrinks when it did not, and a credit by which it is chosen. Changes of one batch that all
    helped are tried together in the next.

    Args:
        start: Where the climb begins.
        space: The parameters.
        moves: The large changes.
    """

    def __init__(self, start: Scored, space: ParameterSpace, moves: Moves) -> None:
        self.best = start
        self._space, self._moves = space, moves
        self._span = space.high - space.low
        self._least = np.where(space.is_continuous, self._span / 1000, 1.0)
        self._step = np.maximum(_first_steps(space), self._least)
        self._credit = np.full(len(space), _RISE)
        self._combined: Patch | None = None
        self._touched: list[NDArray[np.intp] | None] = []

    def propose(
        self, generator: np.random.Generator, count: int, pool: Sequence[Patch], large_share: float
    ) -> list[Patch]:
        """`count` changed patches; `large_share` of them by a large move, with material from `pool`."""
        proposed: list[Patch] = []
        self._touched = []
        if self._combined is not None:
            proposed.append(self._combined)
            self._touched.append(None)
            self._combined = None
        chances = self._chances()
        while len(proposed) < count:
            large = generator.random() < large_share
            touched = None if large else self._choose(generator, chances)
            patch = self.best.patch
            changed = self._moves(generator, patch, pool) if touched is None else self._nudge(generator, touched)
            if not np.array_equal(changed, patch):
                proposed.append(changed)
                self._touched.append(touched)
        return proposed

    def learn(self, proposed: Sequence[Patch], distances: NDArray[np.float64]) -> None:
        """Take the best of the proposed patches if it is better, and remember which changes helped.

        `distances` may be shorter than `proposed`: the rest was not rendered.
        """
        before = self.best
        helped = distances < before.distance
        for touched, success in zip(self._touched, helped, strict=False):
            if touched is not None:
                self._remember(touched, success)
        order = np.argsort(distances, kind="stable")
        if not len(order) or not helped[order[0]]:
            return
        first = proposed[order[0]]
        self.best = Scored(float(distances[order[0]]), first.copy(), before.origin)
        others = [proposed[i] for i in order[1:] if helped[i]]
        self._combined = _combine(before.patch, first, others)

    def _chances(self) -> NDArray[np.float64]:
        weights = np.where(self._space.active(self.best.patch), self._credit + _HOPE, 0.0)
        return np.cumsum(weights) / weights.sum()

    def _choose(self, generator: np.random.Generator, chances: NDArray[np.float64]) -> NDArray[np.intp]:
        count = 1 + int(generator.random() < 0.5) + int(generator.random() < 0.2)
        return np.unique(np.searchsorted(chances, generator.random(count)).clip(0, len(chances) - 1))

    def _nudge(self, generator: np.random.Generator, touched: NDArray[np.intp]) -> Patch:
        patch = self.best.patch.copy()
        for i in touched:
            low, high = self._space.low[i], self._space.high[i]
            if self._space.is_categorical[i]:
                patch[i] = generator.integers(int(low), int(high) + 1)
                continue
            step = max(self._step[i] * np.exp(generator.normal(0.0, _SPREAD)), self._least[i])
            step = step if self._space.is_continuous[i] else np.rint(step)
            value = patch[i] + step if generator.random() < 0.5 else patch[i] - step
            # Turned back at an end, or half of the tries at a full level would change nothing.
            patch[i] = value if low <= value <= high else np.clip(2 * patch[i] - value, low, high)
        # A preset file holds no finer steps, and what it brings back has to sound the same to the last bit.
        return self._space.snap(patch)

    def _remember(self, touched: NDArray[np.intp], success: bool) -> None:
        if success:
            self._step[touched] = np.minimum(self._step[touched] * _GROW, self._span[touched] / 2)
            self._credit[touched] += _RISE * (1.0 - self._credit[touched])
        else:
            self._step[touched] = np.maximum(self._step[touched] * _SHRINK, self._least[touched])
            self._credit[touched] *= _FADE


def _first_steps(space: ParameterSpace) -> NDArray[np.float64]:
    """An eighth of a fine control's range; coarse ones, with few positions, start nearer to a single step."""
    span = space.high - space.low
    return np.where(space.is_continuous | (span >= 48), span / 8, np.where(span >= 14, 3.0, 1.0))


def _combine(base: Patch, first: Patch, others: Sequence[Patch]) -> Patch | None:
    """`first` with what the others changed of `base` where `first` had left it alone; None if that adds nothing."""
    combined = first.copy()
    for other in others:
        change = (other != base) & (first == base)
        combined[change] = other[change]
    return None if np.array_equal(combined, first) else combined
