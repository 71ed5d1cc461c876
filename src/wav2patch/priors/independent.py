"""Every parameter by itself, by a rule of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from wav2patch.parameters import ParameterSpace, Patch


@dataclass(frozen=True)
class Marginal:
    """How one parameter is drawn, in its own units: uniformly, by weights, or often at one value.

    Attributes:
        low: Least value; the parameter's own by default.
        high: Greatest value; the parameter's own by default.
        weights: For a discrete or categorical parameter, one for every value from its lowest to its highest; any
            positive numbers. All alike by default.
        constant: A value that is taken with `probability` instead of a draw.
        probability: Of the constant, 0 to 1.
    """

    low: float | None = None
    high: float | None = None
    weights: tuple[float, ...] = ()
    constant: float | None = None
    probability: float = 0.0


class IndependentPrior:
    """Every parameter by itself, each by a rule of its own; those without a rule uniformly.

    Args:
        space: The parameter space.
        marginals: Rules by the names of parameters.

    Raises:
        ValueError: A rule's values lie outside its parameter's range, or it has a wrong number of weights.
        UserError: A name is unknown.
    """

    def __init__(self, space: ParameterSpace, marginals: Mapping[str, Marginal]) -> None:
        self.space = space
        self._rules = [Marginal() for _ in range(len(space))]
        for name, marginal in marginals.items():
            i = space.index(name)
            _check_marginal(name, marginal, float(space.low[i]), float(space.high[i]), bool(space.is_continuous[i]))
            self._rules[i] = marginal
        low, high = space.low, space.high
        self._low = np.array([low[i] if m.low is None else m.low for i, m in enumerate(self._rules)])
        self._high = np.array([high[i] if m.high is None else m.high for i, m in enumerate(self._rules)])
        self._held = np.array([m.probability if m.constant is not None else 0.0 for m in self._rules])
        self._constant = np.array([m.constant or 0.0 for m in self._rules])

    def sample(self, generator: np.random.Generator, n: int) -> Patch:
        """Draw n patches, ``(n, P)``."""
        uniform = generator.random((n, len(self.space)))
        held = generator.random((n, len(self.space))) < self._held
        steps = np.floor(self._low + uniform * (self._high - self._low + 1))
        smooth = self._low + uniform * (self._high - self._low)
        drawn = np.where(self.space.is_continuous, smooth, steps)
        for i, rule in enumerate(self._rules):
            if rule.weights:
                edges = np.cumsum(rule.weights) / np.sum(rule.weights)
                drawn[:, i] = self.space.low[i] + np.searchsorted(edges, uniform[:, i], side="right")
        return self.space.snap(np.where(held, self._constant, drawn))


def _check_marginal(name: str, rule: Marginal, low: float, high: float, continuous: bool) -> None:
    inside = [value for value in (rule.low, rule.high, rule.constant) if value is not None]
    if any(not low <= value <= high for value in inside) or not 0 <= rule.probability <= 1:
        raise ValueError(f"the rule of {name} leaves its range of {low} to {high}, or its probability is none")
    if rule.weights and (continuous or len(rule.weights) != high - low + 1 or min(rule.weights) < 0):
        raise ValueError(f"{name} takes one weight for each of its values, none below 0")
