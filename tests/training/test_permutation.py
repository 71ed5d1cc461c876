from __future__ import annotations

import math
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wav2patch.training.permutation import Permutation


@given(size=st.integers(1, 3000), seed=st.integers(0, 2**70), epoch=st.integers(0, 10**6))
@settings(deadline=None, max_examples=60)
def test_every_number_comes_once(size: int, seed: int, epoch: int) -> None:
    assert np.array_equal(np.sort(Permutation(size, seed, epoch)(np.arange(size))), np.arange(size))


@given(size=st.integers(1, 2**60), seed=st.integers(0, 9), place=st.integers(0, 2**60))
@settings(deadline=None, max_examples=60)
def test_large_ranges_have_no_collisions_and_stay_in_range(size: int, seed: int, place: int) -> None:
    first = place % size
    found = Permutation(size, seed)(np.arange(first, min(first + 200, size)))
    assert len(np.unique(found)) == len(found)
    assert found.min() >= 0
    assert found.max() < size


def test_a_position_alone_gives_what_it_gives_among_others() -> None:
    order = Permutation(1000, 1)
    assert [int(order(place)) for place in range(40)] == order(np.arange(40)).tolist()
    assert order(np.arange(12).reshape(3, 4)).shape == (3, 4)


@pytest.mark.parametrize(("seed", "epoch"), [(0, 1), (1, 0), (2**64, 0)])
def test_other_epochs_and_seeds_are_other_orders(seed: int, epoch: int) -> None:
    one, other = Permutation(5000, 0)(np.arange(5000)), Permutation(5000, seed, epoch)(np.arange(5000))
    # Two shuffles agree in one place on average.
    assert (one == other).sum() < 10


@pytest.mark.parametrize("size", [3, 4, 5])
def test_small_orders_are_all_equally_likely(size: int) -> None:
    seeds, count = 2400, math.factorial(size)
    orders = Counter(tuple(Permutation(size, seed)(np.arange(size)).tolist()) for seed in range(seeds))
    assert len(orders) == count
    chance = sum((seen - seeds / count) ** 2 for seen in orders.values()) / (seeds / count)
    # Chi-square: five standard deviations above its mean.
    assert chance < (count - 1) + 5 * np.sqrt(2 * (count - 1))


@pytest.mark.parametrize("size", [10_007, 2**20, 400_000_000])
def test_it_is_well_mixed(size: int) -> None:
    count = 10_000
    found = Permutation(size, 7)(np.arange(count)) / size
    # Evenly spread, unlike neighbours, unlike its position: each a normal variable under chance.
    cells = np.histogram2d(found[:-1], found[1:], bins=10, range=[[0, 1], [0, 1]])[0]
    assert ((cells - count / 100) ** 2 / (count / 100)).sum() < 99 + 5 * np.sqrt(2 * 99)
    assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 5 / np.sqrt(count)
    assert abs(np.corrcoef(found, np.arange(count))[0, 1]) < 5 / np.sqrt(count)
    steps = np.diff(np.sort(found))
    assert steps.max() < 20 / count


def test_hundreds_of_millions_take_no_memory() -> None:
    tracemalloc.start()
    Permutation(400_000_000, 0)(np.arange(10_000) * 39_999)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2e6


@pytest.mark.parametrize("places", [[-1], [10], [0, 3, 10]])
def test_there_are_no_other_positions(places: list[int]) -> None:
    with pytest.raises(IndexError, match="0 to 9"):
        Permutation(10, 0)(places)


@pytest.mark.parametrize(("size", "seed", "epoch"), [(-1, 0, 0), (2**60 + 1, 0, 0), (1, -1, 0), (1, 0, -1)])
def test_numbers_out_of_range_are_refused(size: int, seed: int, epoch: int) -> None:
    with pytest.raises(ValueError, match="no order"):
        Permutation(size, seed, epoch)


def test_nothing_is_ordered_too() -> None:
    assert Permutation(0, 0)([]).shape == (0,)
