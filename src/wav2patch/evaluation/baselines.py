"""What every method is shown beside: rows that need no ears, and the truth itself.

A method proposes patches for some rows: `Propose`. Whatever it leaves to chance is a function of the seed and of the
row's index, so that any row can be done again alone, in whatever company.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from wav2patch.evaluation.rows import Row
from wav2patch.parameters import Categorical, ParameterSpace, Patch
from wav2patch.priors import Prior, UniformPrior
from wav2patch.weights.proposals import Proposals

Propose = Callable[[Sequence[Row], int, int], Sequence[Proposals]]
"""From rows, a number n and a seed to the proposals for each row: n at most, fewer where more would be the same."""

TRUTH, MEAN, RANDOM = "noise floor", "prior mean", "random"
"""Names of the rows that stand in every table; the first is the truth, rendered again."""

# Patches are drawn from [seed, index, attempt] and notes with a 1 behind it; these must not be the rows themselves.
_STREAM, _MEAN_STREAM = 2, 3
_DRAWS = 4_096


def baselines(prior: Prior, seed: int) -> dict[str, Propose]:
    """The truth, rendered again; the mean of the prior; a draw of the prior."""
    return {TRUTH: truth, MEAN: Fixed(mean_patch(prior, seed)), RANDOM: RandomDraws(prior)}


def truth(rows: Sequence[Row], n: int, seed: int) -> list[Proposals]:
    """What made the sound: whatever distance is left is the noise floor."""
    return [Proposals(row.patch[None]) for row in rows]


class Fixed:
    """The same patch ``(P,)`` for every sound."""

    def __init__(self, patch: Patch) -> None:
        self.patch = patch

    def __call__(self, rows: Sequence[Row], n: int, seed: int) -> list[Proposals]:
        """See `Propose`."""
        return [Proposals(self.patch[None]) for _ in rows]


class RandomDraws:
    """Draws of a prior, others than those that the rows were made of."""

    def __init__(self, prior: Prior) -> None:
        self.prior = prior

    def __call__(self, rows: Sequence[Row], n: int, seed: int) -> list[Proposals]:
        """See `Propose`."""
        return [Proposals(self.prior.sample(np.random.default_rng([seed, row.index, 0, _STREAM]), n)) for row in rows]


def mean_patch(prior: Prior, seed: int) -> Patch:
    """The patch ``(P,)`` that the mean encoding of a prior's draws stands for; of a uniform prior, the exact mean."""
    if isinstance(prior, UniformPrior):
        return prior.space.decode(_middle(prior.space))
    draws = prior.sample(np.random.default_rng([seed, 0, 0, _MEAN_STREAM]), _DRAWS)
    return prior.space.decode(prior.space.encode(draws).mean(axis=0, dtype=np.float64))


def _middle(space: ParameterSpace) -> Patch:
    widths = [p.width if isinstance(p, Categorical) else 2 for p in space.parameters]
    return np.repeat(1.0 / np.array(widths), [p.width for p in space.parameters])
