from functools import reduce

import numpy as np
import pytest

from wav2patch.datasets.statistics.moments import Moments


def cut(rows: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    return [part for part in np.split(rows, np.cumsum(sizes)) if len(part)]


@pytest.mark.parametrize("sizes", [[], [1] * 60, [7] * 8, [50, 1, 1], [1, 3, 30]], ids=str)
@pytest.mark.parametrize(("offset", "spread"), [(0.0, 1.0), (-80.0, 20.0), (1e6, 1e-2)])
def test_blocks_give_what_two_passes_over_all_rows_give(sizes: list[int], offset: float, spread: float) -> None:
    rows = offset + spread * np.random.default_rng([3, len(sizes)]).normal(size=(61, 2, 5))
    found = reduce(Moments.merge, map(Moments.of, cut(rows, sizes)))
    assert found.count == 61
    np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-14)
    # A sum of squares less the square of the sum has no digit left at an offset of 1e6.
    np.testing.assert_allclose(found.std, rows.std(axis=0), rtol=1e-7)
    np.testing.assert_array_equal(found.low, rows.min(axis=0))
    np.testing.assert_array_equal(found.high, rows.max(axis=0))


@pytest.mark.parametrize("value", [-80.0, 0.1, 1 / 3])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_never_varies_has_a_deviation_of_exactly_nothing(value: float, dtype: type) -> None:
    rows = np.full((100, 3), value, dtype=dtype)
    rows[:, 1] = np.arange(100)
    found = reduce(Moments.merge, map(Moments.of, cut(rows, [9] * 11)))
    np.testing.assert_array_equal(found.constant, [True, False, True])
    np.testing.assert_array_equal(found.std == 0, [True, False, True])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_cannot_hide(bad: float) -> None:
    rows = np.zeros((20, 2))
    rows[11, 1] = bad
    found = reduce(Moments.merge, map(Moments.of, cut(rows, [6] * 3)))
    np.testing.assert_array_equal(np.isfinite(found.mean), [True, False])
