"""Moves: ways to turn one patch into another that may sound closer.

They know a parameter space's blocks and nothing of any one synth: an operator, an envelope or an oscillator is
copied, exchanged or drawn anew as a whole, because its values mean little apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.priors import Prior
from wav2patch.structure import mentioned

Indices = NDArray[np.intp]


class Moves:
    """Large moves on the patches of one space; small ones are `Climber`'s own.

    Args:
        space: Its blocks say what belongs together. A space without blocks gets one for every parameter.
        prior: Where new blocks are drawn from.
    """

    def __init__(self, space: ParameterSpace, prior: Prior) -> None:
        self.space = space
        self.prior = prior
        parents = {block.parent for block in space.blocks if block.parent}
        blocks = space.blocks
        self._large = _by_kind((b.kind, space.indices(b.parameters)) for b in blocks if b.name in parents)
        self._small = _by_kind((b.kind, space.indices(b.parameters)) for b in blocks if b.name not in parents)
        if not self._small:
            self._small = {name: [np.array([i])] for i, name in enumerate(space.names)}
        self._structural = _structural(space)
        self._numeric = np.flatnonzero(~space.is_categorical)
        self._table = self._weighted()

    def __call__(self, generator: np.random.Generator, patch: Patch, pool: Sequence[Patch]) -> Patch:
        """A changed copy of `patch` ``(P,)``, with material from the patches of `pool` or from the prior."""
        moves, weights = self._table
        move = moves[int(np.searchsorted(weights, generator.random()))]
        changed = patch.copy()
        move(generator, changed, pool)
        return changed

    def _weighted(self) -> tuple[list[Callable[..., None]], NDArray[np.float64]]:
        table: list[tuple[Callable[..., None], float]] = [
            (self._redraw_small, 0.25),
            (self._graft_small, 0.17),
            (self._copy_within, 0.06),
            (self._reset, 0.04),
            (self._step, 0.10),
            (self._anywhere, 0.04),
        ]
        if any(len(blocks) > 1 for blocks in self._small.values()):
            table.append((self._shift_all, 0.08))
        if self._large:
            table += [(self._graft_large, 0.20), (self._redraw_large, 0.10), (self._swap, 0.05)]
        if self._structural.size:
            table.append((self._restructure, 0.08))
        weights = np.cumsum([weight for _, weight in table])
        return [move for move, _ in table], weights / weights[-1]

    def _graft_large(self, generator: np.random.Generator, patch: Patch, pool: Sequence[Patch]) -> None:
        self._graft(generator, patch, pool[int(generator.integers(len(pool)))], self._large, elsewhere=0.4)

    def _graft_small(self, generator: np.random.Generator, patch: Patch, pool: Sequence[Patch]) -> None:
        self._graft(generator, patch, pool[int(generator.integers(len(pool)))], self._small, elsewhere=0.4)

    def _redraw_large(self, generator: np.random.Generator, patch: Patch, pool: Sequence[Patch]) -> None:
        self._graft(generator, patch, self.prior.sample(generator, 1)[0], self._large, elsewhere=0.4)

    def _redraw_small(self, generator: np.random.Generator, patch: Patch, pool: Sequence[Patch]) -> None:
        self._graft(generator, patch, self.prior.sample(generator, 1)[0], self._small, elsewhere=0.0)

    def _copy_within(self, generator: np.random.Generator, patch: Patch, pool: Sequence[Patch]) -> None:
        self._graft(generator, patch, patch.copy(), self._small, elsewhere=1.0)

    def _swap(self, generator: np.random.Generator, patch: Patch, pool: Sequence[Patch]) -> None:
        blocks = self._pick_kind(generator, self._large)
        if len(blocks) > 1:
            one, other = generator.choice(len(blocks), 2, replace=False)
            patch[blocks[one]], patch[blocks[other]] = patch[blocks[other]], patch[blocks[one]].copy()

    def _restructure(self, generator: np.random.Generator, patch: Patch, pool: Sequence[Patch]) -> None:
        i = generator.choice(self._structural)
        others = [value for value in range(int(self.space.high[i]) + 1) if value != patch[i]]
        patch[i] = generator.choice(others)

    def _reset(self, generator: np.random.Generator, patch: Patch, pool: Sequence[Patch]) -> None:
        i = self._pick_active(generator, patch)
        patch[i] = self.space.default[i]

    def _anywhere(self, generator: np.random.Generator, patch: Patch, pool: Sequence[Patch]) -> None:
        i = self._pick_active(generator, patch)
        low, high = self.space.low[i], self.space.high[i]
        patch[i] = (low, high, low + generator.random() * (high - low))[generator.integers(3)]
        patch[:] = self.space.snap(patch)

    def _step(self, generator: np.random.Generator, patch: Patch, pool: Sequence[Patch]) -> None:
        self._move_by(generator, patch, np.array([self._pick_active(generator, patch)]), most=3)

    def _shift_all(self, generator: np.random.Generator, patch: Patch, pool: Sequence[Patch]) -> None:
        """One field of all blocks of a kind by the same amount: all levels, all decay rates."""
        kinds = [blocks for blocks in self._small.values() if len(blocks) > 1]
        blocks = kinds[int(generator.integers(len(kinds)))]
        field = generator.integers(len(blocks[0]))
        same = np.array([block[field] for block in blocks])
        if not self.space.is_categorical[same[0]]:
            self._move_by(generator, patch, same[patch[same] > self.space.low[same]], most=5)

    def _move_by(self, generator: np.random.Generator, patch: Patch, places: Indices, most: int) -> None:
        """Up to `most` fiftieths of the range, at least one step, all in one direction."""
        steps = generator.integers(1, most + 1) * (1 if generator.random() < 0.5 else -1)
        unit = (self.space.high[places] - self.space.low[places]) / 50
        unit = np.where(self.space.is_continuous[places], unit, np.maximum(np.ceil(unit), 1))
        patch[places] += steps * unit
        patch[:] = self.space.snap(patch)

    def _graft(
        self,
        generator: np.random.Generator,
        patch: Patch,
        source: Patch,
        kinds: dict[str, list[Indices]],
        *,
        elsewhere: float,
    ) -> None:
        blocks = self._pick_kind(generator, kinds)
        to = int(generator.integers(len(blocks)))
        come_from = int(generator.integers(len(blocks))) if generator.random() < elsewhere else to
        patch[blocks[to]] = source[blocks[come_from]]

    def _pick_kind(self, generator: np.random.Generator, kinds: dict[str, list[Indices]]) -> list[Indices]:
        # Each block alike: six envelopes should come up six times as often as one LFO.
        sizes = np.cumsum([len(blocks) for blocks in kinds.values()])
        kind = int(np.searchsorted(sizes, generator.integers(sizes[-1]), side="right"))
        return list(kinds.values())[kind]

    def _pick_active(self, generator: np.random.Generator, patch: Patch) -> int:
        heard = self._numeric[self.space.active(patch)[self._numeric]]
        return int(generator.choice(heard if heard.size else self._numeric))


def _by_kind(blocks: Iterable[tuple[str, Indices]]) -> dict[str, list[Indices]]:
    kinds: dict[str, list[Indices]] = {}
    for kind, indices in blocks:
        kinds.setdefault(kind, []).append(indices)
    return kinds


def _structural(space: ParameterSpace) -> Indices:
    """Categorical parameters on whose choice the activity of others depends: an FM algorithm, an on/off switch."""
    clauses = (clause for activity in space.activities for clause in activity.alternatives)
    asked = sorted({space.index(name) for clause in clauses for name in mentioned(clause)})
    return np.array([i for i in asked if space.is_categorical[i]], dtype=np.intp)
