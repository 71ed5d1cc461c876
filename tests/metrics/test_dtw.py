"""Time warping against dtw-python and against the recursion written as two loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wav2patch.metrics.dtw import dtw_distance

SETTINGS = settings(max_examples=40, deadline=None, derandomize=True)
SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 4), st.integers(0, 2**16))


def sequences(shape):
    rows, columns, dimensions, seed = shape
    rng = np.random.default_rng([11, seed])
    return rng.standard_normal((rows, dimensions)), rng.standard_normal((columns, dimensions))


def recursion(first, second):
    costs = np.full((len(first) + 1, len(second) + 1), np.inf)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            local = np.mean(np.abs(a - b))
            steps = costs[i, j + 1] + local, costs[i + 1, j] + local, costs[i, j] + 2 * local
            costs[i + 1, j + 1] = local if i == j == 0 else min(steps)
    return costs[-1, -1] / (len(first) + len(second))


@SETTINGS
@given(SHAPES)
def test_is_the_recursion(shape):
    first, second = sequences(shape)
    assert dtw_distance(first, second) == pytest.approx(recursion(first, second), rel=1e-12)


@SETTINGS
@given(SHAPES)
def test_is_symmetric_and_not_negative_and_zero_on_itself(shape):
    first, second = sequences(shape)
    assert dtw_distance(first, second) == pytest.approx(dtw_distance(second, first), rel=1e-12)
    assert dtw_distance(first, second) >= 0
    assert dtw_distance(first, first) == 0


@pytest.mark.parametrize("shape", [(40, 57, 20, 0), (57, 40, 20, 1), (1, 9, 3, 2), (9, 1, 3, 3), (1, 1, 2, 4)])
def test_is_dtw_python(shape):
    dtw = pytest.importorskip("dtw").dtw
    first, second = sequences(shape)
    theirs = dtw(first, second, dist_method=lambda a, b: np.mean(np.abs(a - b)), distance_only=True)
    assert dtw_distance(first, second) == pytest.approx(theirs.normalizedDistance, rel=1e-12)


def test_a_slower_sequence_costs_nothing():
    first = np.arange(5.0)[:, None]
    assert dtw_distance(first, np.repeat(first, 3, axis=0)) == 0
