"""How sure a figure is that was measured on some sounds and is said of all: intervals of 95%."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

CONFIDENCE = 0.95

_AT_ONCE = 2**20

Values = NDArray[np.floating]


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval.

    Attributes:
        value: NaN where there was nothing to measure.
        low: Lower end of the interval; NaN where too little was measured to tell.
        high: Upper end.
        count: How many items it was measured on.
    """

    value: float
    low: float
    high: float
    count: int

    @property
    def half(self) -> float:
        """Half of the interval's width: what stands after ±."""
        return (self.high - self.low) / 2.0


def mean_estimate(values: Values, confidence: float = CONFIDENCE) -> Estimate:
    """The mean of independent items, with the interval of Student's t: mean ± t(n − 1) s / √n.

    Args:
        values: ``(n,)``; those that are NaN were not measured and do not count.
        confidence: How often such an interval holds the true mean.
    """
    known = _known(values)
    count = len(known)
    if count == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    mean = float(known.mean())
    if count == 1:
        return Estimate(mean, math.nan, math.nan, 1)
    quantile = float(special.stdtrit(count - 1, 0.5 + confidence / 2.0))
    half = quantile * float(known.std(ddof=1)) / math.sqrt(count)
    return Estimate(mean, mean - half, mean + half, count)


def bootstrap_estimate(
    values: Values,
    statistic: Callable[[Values], NDArray[np.floating]],
    seed: int,
    index: int,
    *,
    resamples: int = 1_000,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Any statistic of independent items, with its percentile bootstrap interval.

    Args:
        values: ``(n,)``; those that are NaN do not count.
        statistic: Of values ``(m, n)``, along the last axis: ``(m,)``.
        seed: The interval is a function of (seed, index) and of the values.
        index: Which of many intervals this is, so that no two share their draws.
        resamples: How many times the items are drawn anew.
        confidence: How often such an interval holds the true value.
    """
    known = _known(values)
    count = len(known)
    if count == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    value = float(statistic(known[None])[0])
    if count == 1:
        return Estimate(value, math.nan, math.nan, 1)
    generator = np.random.default_rng([seed, index])
    # In parts, as all draws of a large test set at once would take gigabytes.
    part = max(1, _AT_ONCE // count)
    drawn = [
        statistic(known[generator.integers(count, size=(min(part, resamples - done), count))])
        for done in range(0, resamples, part)
    ]
    low, high = np.quantile(np.concatenate(drawn), [0.5 - confidence / 2.0, 0.5 + confidence / 2.0])
    return Estimate(value, float(low), float(high), count)


def _known(values: Values) -> NDArray[np.float64]:
    flat = np.asarray(values, dtype=np.float64).ravel()
    return flat[~np.isnan(flat)]
