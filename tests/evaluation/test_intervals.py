"""Intervals against SciPy's, and against how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from wav2patch.evaluation.intervals import bootstrap_estimate, mean_estimate


def median(values: np.ndarray) -> np.ndarray:
    return np.median(values, axis=-1)


def mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=-1)


@pytest.mark.parametrize("count", [2, 5, 1000])
@pytest.mark.parametrize("confidence", [0.95, 0.5])
def test_the_interval_of_a_mean_is_scipys(count: int, confidence: float) -> None:
    values = np.random.default_rng([5, count]).exponential(size=count)
    found = mean_estimate(values, confidence)
    expected = stats.t.interval(confidence, count - 1, loc=values.mean(), scale=stats.sem(values))
    assert_allclose((found.value, found.low, found.high), (values.mean(), *expected))
    assert_allclose(found.half, (expected[1] - expected[0]) / 2)


def test_what_was_not_measured_does_not_count() -> None:
    assert mean_estimate(np.array([1.0, np.nan, 3.0])) == mean_estimate(np.array([1.0, 3.0]))
    assert mean_estimate(np.array([1.0, np.nan, 3.0])).count == 2
    nothing, single = mean_estimate(np.full(3, np.nan)), mean_estimate(np.array([4.0]))
    assert nothing.count == 0
    assert math.isnan(nothing.value)
    assert (single.value, single.count) == (4.0, 1)
    assert math.isnan(single.half)


def test_the_bootstrap_is_scipys() -> None:
    values = np.random.default_rng(8).lognormal(size=60)
    found = bootstrap_estimate(values, median, 3, 4, resamples=4000)
    expected = stats.bootstrap((values,), np.median, n_resamples=4000, method="percentile", rng=1).confidence_interval
    assert found.value == np.median(values)
    assert_allclose((found.low, found.high), expected, rtol=0.05)


def test_the_bootstrap_is_a_function_of_seed_and_index() -> None:
    values = np.random.default_rng(9).normal(size=30)

    def run(seed: int, index: int) -> tuple[float, float]:
        found = bootstrap_estimate(values, mean, seed, index, resamples=50)
        return found.low, found.high

    assert run(1, 2) == run(1, 2)
    assert len({run(1, 2), run(1, 3), run(2, 2)}) == 3


def test_the_bootstrap_of_much_is_done_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(9).normal(size=30)
    whole = bootstrap_estimate(values, median, 1, 2)
    monkeypatch.setattr("wav2patch.evaluation.intervals._AT_ONCE", 100)
    assert bootstrap_estimate(values, median, 1, 2) == whole


def test_the_bootstrap_of_too_little_is_no_interval() -> None:
    for values, count in (([], 0), ([2.0], 1), ([np.nan, 2.0], 1)):
        found = bootstrap_estimate(np.array(values), median, 0, 0)
        assert found.count == count
        assert math.isnan(found.low)


def test_nineteen_of_twenty_intervals_hold_the_mean() -> None:
    draws = np.random.default_rng(10).normal(3.0, 2.0, (2000, 12))
    held = [found.low <= 3.0 <= found.high for found in map(mean_estimate, draws)]
    assert 0.94 < np.mean(held) < 0.96
