"""Renders candidates, measures them, and remembers what was found."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio.channels import to_mono
from wav2patch.matching.budget import Budget
from wav2patch.metrics.objective import Objective
from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.rendering.base import Failure, Renderer, Sound
from wav2patch.synths.base import Audio

_KEPT = 1024
_IDLE_BATCHES = 100


@dataclass(frozen=True, eq=False)
class Scored:
    """A patch ``(P,)`` with its distance to the target in decibels, and what proposed it."""

    distance: float
    patch: Patch
    origin: str


@dataclass(frozen=True)
class Improvement:
    """A moment at which the best distance fell: after so many renders and seconds, to this many decibels."""

    renders: int
    seconds: float
    distance: float


@dataclass(frozen=True)
class Progress:
    """How a search is getting on."""

    fraction: float
    renders: int
    seconds: float
    best: float


class Evaluator:
    """Distances of patches to one target, within a budget.

    Patches that differ only where nothing can be heard count as one: the second is answered from memory and
    costs nothing.

    Args:
        space: The synth's parameters.
        renderer: Makes the renders.
        sound: What every candidate plays.
        objective: Measures a render, mixed down, against the target.
        budget: Spent one render a patch.
        report: Called after every batch.
    """

    def __init__(
        self,
        space: ParameterSpace,
        renderer: Renderer,
        sound: Sound,
        objective: Objective,
        budget: Budget,
        report: Callable[[Progress], None] | None = None,
    ) -> None:
        self.space = space
        self.budget = budget
        self.improvements: list[Improvement] = []
        self.failures: list[Failure] = []
        self.rendered: Counter[str] = Counter()
        self._idle = 0
        self._renderer, self._sound, self._measure = renderer, sound, Measure(objective)
        self._report = report
        self._known: dict[bytes, float] = {}
        self._best: list[Scored] = []

    @property
    def best(self) -> Scored | None:
        """The closest patch so far."""
        return min(self._best, key=lambda scored: scored.distance, default=None)

    @property
    def finished(self) -> bool:
        """Whether the budget is spent, or so many batches in a row brought nothing new that no patch seems left."""
        return self.budget.exhausted or self._idle >= _IDLE_BATCHES

    def ranking(self) -> list[Scored]:
        """The closest patches so far, closest first; ties in the order of their discovery."""
        return sorted(self._best, key=lambda scored: scored.distance)

    def __call__(self, patches: Sequence[Patch], origin: str) -> NDArray[np.float64]:
        """Distances in decibels of as many of the patches as the budget allows, in their order.

        Infinite for a render that failed. A shorter result than the list of patches means that the budget is spent.
        """
        patches = patches[: self.budget.allows(len(patches))]
        keys = [self._key(patch) for patch in patches]
        new = {key: patch for key, patch in zip(keys, patches, strict=True) if key not in self._known}
        results = self._renderer.map(list(new.values()), self._sound, self._measure)
        for (key, patch), result in zip(new.items(), results, strict=True):
            self.budget.spend(1)
            self.rendered[origin] += 1
            self._record(key, patch, result, origin)
        self._idle = 0 if new else self._idle + 1
        self._prune()
        if self._report is not None:
            self._report(self._progress())
        return np.array([self._known[key] for key in keys])

    def _record(self, key: bytes, patch: Patch, result: float | Failure, origin: str) -> None:
        if isinstance(result, Failure):
            self.failures.append(result)
            self._known[key] = np.inf
            return
        self._known[key] = result
        if not self.improvements or result < self.improvements[-1].distance:
            self.improvements.append(Improvement(self.budget.spent_renders, self.budget.spent_seconds, result))
        self._best.append(Scored(result, patch.copy(), origin))

    def _prune(self) -> None:
        if len(self._best) > 2 * _KEPT:
            self._best = self.ranking()[:_KEPT]

    def _key(self, patch: Patch) -> bytes:
        heard = np.where(self.space.active(patch), patch, np.nan)
        return hashlib.blake2b(heard.tobytes(), digest_size=16).digest()

    def _progress(self) -> Progress:
        best = self.improvements[-1].distance if self.improvements else np.inf
        return Progress(self.budget.fraction, self.budget.spent_renders, self.budget.spent_seconds, best)


@dataclass(frozen=True)
class Measure:
    """Audio ``(channels, samples)`` to distance; a class, so that worker processes can be handed it."""

    objective: Objective

    def __call__(self, audio: Audio) -> float:
        """Distance in decibels.

        Raises:
            ValueError: The audio holds values that are not finite.
        """
        distance = float(self.objective(to_mono(audio)))
        if not np.isfinite(distance):
            raise ValueError("the render holds values that are not finite numbers")
        return distance
