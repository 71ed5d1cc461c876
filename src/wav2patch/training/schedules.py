"""How the learning rate changes over a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

Schedule = Literal["cosine", "constant", "plateau"]


class Scale:
    """The learning rate of a step, relative to its highest, as far as it depends on the step alone.

    Args:
        schedule: ``cosine`` falls; ``constant`` and ``plateau`` stay.
        warmup: Steps in which it rises from 0, a straight line.
        hold: Steps at the highest before it falls.
        last: Step at which it has fallen for the last time.
        final: To which it falls.
        cycles: Relative lengths of its falls; each begins at the highest. ``(1, 2)`` falls over a third of the steps
            and again over the others (Loshchilov and Hutter, "SGDR", ICLR 2017).

    Raises:
        ValueError: A cycle has no length.
    """

    def __init__(
        self, schedule: Schedule, *, warmup: int, hold: int, last: float, final: float, cycles: Sequence[float] = (1.0,)
    ) -> None:
        if not cycles or min(cycles) <= 0.0:
            raise ValueError("cycles are relative lengths above 0")
        self._falls, self._warmup, self._begin, self._last = schedule == "cosine", warmup, warmup + hold, last
        self._final, self._ends = final, [sum(cycles[: i + 1]) / sum(cycles) for i in range(len(cycles))]

    def __call__(self, step: int) -> float:
        """Of a step, counted from 0."""
        if step < self._warmup:
            return (step + 1) / (self._warmup + 1)
        if not self._falls or step < self._begin:
            return 1.0
        done = self._within_cycle(min((step - self._begin) / max(self._last - self._begin, 1.0), 1.0))
        return self._final + (1.0 - self._final) * 0.5 * (1.0 + math.cos(math.pi * done))

    def _within_cycle(self, done: float) -> float:
        """Of the share of all steps that is over, the share of its cycle."""
        begin = 0.0
        for end in self._ends[:-1]:
            if done < end:
                return (done - begin) / (end - begin)
            begin = end
        return (done - begin) / (1.0 - begin)


class Plateau:
    """Lowers the learning rate where validation does not get better.

    Args:
        patience: Validations without a better figure that are waited for; the next one lowers it.
        factor: By which it is multiplied then.
        least: Share by which a figure has to be less to be better.
    """

    def __init__(self, patience: int = 5, factor: float = 0.1, least: float = 1e-4) -> None:
        self.patience, self.factor, self.least = patience, factor, least
        self.scale, self._best, self._waited = 1.0, math.inf, 0

    def update(self, figure: float) -> None:
        """Take note of a validation."""
        if figure < self._best * (1.0 - self.least):
            self._best, self._waited = figure, 0
            return
        self._waited += 1
        if self._waited > self.patience:
            self.scale, self._waited = self.scale * self.factor, 0

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run has to know."""
        return {"scale": self.scale, "best": self._best, "waited": self._waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.scale, self._best, self._waited = float(state["scale"]), float(state["best"]), int(state["waited"])
