"""The search: many climbers set out from the best proposals, and the worse half is dropped again and again.

After retrieval the rest of the budget is cut into equal rounds. Every round halves the climbers, so that one
round's worth of renders is shared by many starts at first and goes to the last one in the end (successive halving,
Jamieson and Talwalkar, 2016). Measured against an evolutionary search and CMA-ES in docs/decisions/0003-search.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, islice

import numpy as np

from wav2patch.audio.target import Target
from wav2patch.matching.climber import Climber
from wav2patch.matching.evaluator import Evaluator, Scored
from wav2patch.matching.moves import Moves
from wav2patch.matching.proposers import Proposer
from wav2patch.priors import Prior


@dataclass(frozen=True)
class SearchSettings:
    """How a search spends its budget.

    Attributes:
        climbers: Starts of the first round, at most; fewer when the budget is small.
        batch: Changes of one patch that are rendered before the best is taken.
        large_first: Share of large moves at the beginning.
        large_last: Share of large moves at the end.
        elite: Patches, beside the climbers' own, whose parts the large moves take.
    """

    climbers: int = 64
    batch: int = 8
    large_first: float = 0.35
    large_last: float = 0.08
    elite: int = 20


_LEAST_RETRIEVAL = 64
_RENDERS_PER_CLIMBER = 250


def search(
    target: Target,
    evaluator: Evaluator,
    proposers: Sequence[Proposer],
    prior: Prior,
    generator: np.random.Generator,
    settings: SearchSettings | None = None,
) -> list[Scored]:
    """Spend the evaluator's budget; returns where every climb ended, the closest first.

    A search that is stopped (by the budget, or by an exception in `evaluator`) leaves all that it found in
    ``evaluator.ranking()``.
    """
    settings = settings or SearchSettings()
    retrieve(target, evaluator, proposers, generator)
    elite = evaluator.ranking()
    moves = Moves(evaluator.space, prior)
    starts = elite[: _climber_count(evaluator, settings)]
    climbers = [Climber(start, evaluator.space, moves) for start in starts]
    ended: list[Climber] = []
    rounds = int(np.log2(max(len(climbers), 1))) + 1
    began = evaluator.budget.fraction
    for number in range(1, rounds + 1):
        until = began + (1.0 - began) * number / rounds
        _climb(climbers, evaluator, elite, generator, settings, until)
        climbers.sort(key=lambda climber: climber.best.distance)
        kept = max(len(climbers) // 2, 1)
        ended, climbers = climbers[kept:] + ended, climbers[:kept]
        elite = sorted([*elite, *(c.best for c in ended)], key=lambda scored: scored.distance)
    return [climber.best for climber in sorted(climbers + ended, key=lambda c: c.best.distance)]


def retrieve(
    target: Target, evaluator: Evaluator, proposers: Sequence[Proposer], generator: np.random.Generator
) -> None:
    """Render proposals, the proposers taking turns, each up to its share of the budget or to its last patch.

    All have had a turn by the time that the least retrieval is over, so that on a small budget a model that can go on
    for ever does not take the prior's place.
    """
    budget = evaluator.budget
    turn = max(_LEAST_RETRIEVAL // max(len(proposers), 1), 1)
    supplies = [(proposer, proposer.propose(target, generator)) for proposer in proposers]
    while supplies and not evaluator.finished:
        proposer, supply = supplies.pop(0)
        if budget.fraction >= proposer.share and budget.spent_renders >= _LEAST_RETRIEVAL:
            continue
        patches = list(islice(supply, budget.allows(turn)))
        if patches:
            evaluator(patches, proposer.name)
            supplies.append((proposer, supply))


def _climb(
    climbers: Sequence[Climber],
    evaluator: Evaluator,
    elite: Sequence[Scored],
    generator: np.random.Generator,
    settings: SearchSettings,
    until: float,
) -> None:
    while climbers and evaluator.budget.fraction < until and not evaluator.finished:
        progress = evaluator.budget.fraction
        share = settings.large_first + (settings.large_last - settings.large_first) * progress
        # The climbers' own patches count three times: their parts have proved themselves here.
        pool = [climber.best.patch for climber in climbers] * 3 + [scored.patch for scored in elite[: settings.elite]]
        proposed = [climber.propose(generator, settings.batch, pool, share) for climber in climbers]
        distances = evaluator([patch for patches in proposed for patch in patches], "search")
        for climber, patches, start in zip(climbers, proposed, count(0, settings.batch), strict=False):
            climber.learn(patches, distances[start : start + settings.batch])


def _climber_count(evaluator: Evaluator, settings: SearchSettings) -> int:
    """As many climbers as the budget can feed, a power of two."""
    budget = evaluator.budget
    left = (1.0 - budget.fraction) * budget.spent_renders / max(budget.fraction, 1e-9)
    fed = max(int(left / _RENDERS_PER_CLIMBER), 1)
    return min(2 ** int(np.log2(fed)), settings.climbers)
