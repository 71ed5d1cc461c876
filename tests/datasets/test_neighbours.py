"""Near equal rows, against all pairs compared one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wav2patch.datasets.views.neighbours import Neighbours, digests


def nearly_equal(one: np.ndarray, two: np.ndarray, exact: np.ndarray, tolerance: float) -> np.ndarray:
    apart = np.abs(one[:, None].astype(float) - two[None].astype(float))
    return np.all(apart <= np.where(exact, 0.0, tolerance + 1e-6), axis=2)


def draw(rng: np.random.Generator, rows: int, exact: np.ndarray) -> np.ndarray:
    values = rng.random((rows, len(exact))).astype(np.float32)
    values[:, exact] = rng.integers(0, 3, (rows, int(exact.sum())))
    # Places where presets like to be, the ends of the range among them; and what cannot be heard.
    often = rng.choice(np.array([-1, 0, 0.25, 0.5, 0.75, 1], dtype=np.float32), values.shape)
    return np.where(~exact & (rng.random(values.shape) < 0.3), often, values)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 1e-3, 0.01, 0.1]), st.integers(1, 12), st.integers(0, 3))
def test_it_finds_what_comparing_all_pairs_finds(seed: int, tolerance: float, loose: int, strict: int) -> None:
    rng = np.random.default_rng([seed, 0])
    exact = np.arange(loose + strict) >= loose
    known = draw(rng, 200, exact)
    asked = draw(rng, 300, exact)
    near = rng.integers(0, 200, 150)
    moved = rng.uniform(-1.3 * tolerance, 1.3 * tolerance, (150, loose)).astype(np.float32)
    asked[:150] = known[near]
    heard = known[near, :loose] >= 0
    asked[:150, :loose] = np.where(heard, np.clip(known[near, :loose] + moved, 0, 1), known[near, :loose])
    found = Neighbours(known, exact, tolerance).find(asked)
    pairs = nearly_equal(asked, known, exact, tolerance)
    np.testing.assert_array_equal(found >= 0, pairs.any(axis=1))
    hit = np.flatnonzero(found >= 0)
    assert pairs[hit, found[hit]].all()


def test_nothing_is_found_among_nothing() -> None:
    nothing = Neighbours(np.empty((0, 4), dtype=np.float32), np.zeros(4, dtype=np.bool_), 1e-3)
    assert nothing.find(np.zeros((3, 4), dtype=np.float32)).tolist() == [-1, -1, -1]


def test_repetitions_cost_nothing() -> None:
    rows = np.repeat(np.random.default_rng([1, 0]).random((5, 30)).astype(np.float32), 4000, axis=0)
    known = Neighbours(rows, np.zeros(30, dtype=np.bool_), 1e-3)
    assert len(known._rows) == 5
    np.testing.assert_array_equal(known.find(rows) // 4000, np.arange(len(rows)) // 4000)


@pytest.mark.parametrize("width", [1, 30, 600])
def test_digests_tell_rows_apart(width: int) -> None:
    rows = np.random.default_rng([2, width]).random((1000, width)).astype(np.float32)
    rows[1:, 0] = np.nextafter(rows[0, 0], 1)
    rows[1:500] = rows[0]
    rows[1, -1] = np.nextafter(rows[0, -1], np.float32(2))
    assert len(np.unique(digests(rows))) == len(np.unique(rows, axis=0))
