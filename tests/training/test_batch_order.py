from __future__ import annotations

import itertools
from collections import Counter
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wav2patch.training.sampler import EndlessOrder, EpochOrder, Share

Last = Literal["drop", "pad", "keep"]


def ranks(size: int, batch_size: int, world: int, last: Last, seed: int | None = 0) -> list[EpochOrder]:
    return [EpochOrder(size, batch_size, seed, last, Share(rank, world)) for rank in range(world)]


def rows_of(order: EpochOrder, epoch: int = 0) -> list[int]:
    return [int(row) for batch in range(order.batches) for row in order.rows(epoch, batch)]


sizes = st.integers(1, 200), st.integers(1, 17), st.integers(1, 5)
seeds = st.one_of(st.none(), st.integers(0, 3))


@given(*sizes, seeds, st.integers(0, 3))
@settings(deadline=None, max_examples=100)
def test_every_row_comes_once_over_the_ranks(
    size: int, batch_size: int, world: int, seed: int | None, epoch: int
) -> None:
    seen = [rows_of(order, epoch) for order in ranks(size, batch_size, world, "keep", seed)]
    assert sorted(itertools.chain(*seen)) == list(range(size))
    assert max(map(len, seen)) - min(map(len, seen)) <= 1


@given(*sizes, seeds)
@settings(deadline=None, max_examples=100)
def test_dropping_keeps_full_batches_and_as_many_on_every_rank(
    size: int, batch_size: int, world: int, seed: int | None
) -> None:
    orders = ranks(size, batch_size, world, "drop", seed)
    seen = list(itertools.chain(*map(rows_of, orders)))
    assert len(set(seen)) == len(seen) > size - batch_size * world
    assert all(len(order.rows(0, batch)) == batch_size for order in orders for batch in range(order.batches))


@given(*sizes, seeds)
@settings(deadline=None, max_examples=100)
def test_padding_repeats_fewer_rows_than_there_are_ranks(
    size: int, batch_size: int, world: int, seed: int | None
) -> None:
    orders = ranks(size, batch_size, world, "pad", seed)
    counts = Counter(itertools.chain(*map(rows_of, orders)))
    assert sorted(counts) == list(range(size))
    assert sum(counts.values()) - size < world
    lengths = {tuple(len(order.rows(0, batch)) for batch in range(order.batches)) for order in orders}
    assert len(lengths) == 1


@pytest.mark.parametrize("batch", [0, 1, 4])
def test_a_batch_of_all_ranks_is_the_same_for_any_number_of_them(batch: int) -> None:
    together = [
        sorted(itertools.chain(*(order.rows(2, batch).tolist() for order in ranks(103, 12 // world, world, "drop"))))
        for world in (1, 2, 3, 4)
    ]
    assert together.count(together[0]) == 4


def test_ranks_take_turns() -> None:
    whole = rows_of(EpochOrder(20, 20, 5, "keep"))
    assert [rows_of(order) for order in ranks(20, 4, 3, "keep", 5)] == [whole[0::3], whole[1::3], whole[2::3]]


def test_epochs_are_shuffled_anew_and_orders_without_seed_never() -> None:
    order = EpochOrder(50, 50)
    assert rows_of(order, 0) != rows_of(order, 1)
    assert rows_of(order, 1) == rows_of(EpochOrder(50, 50), 1)
    assert rows_of(EpochOrder(50, 7, None, "keep"), 3) == list(range(50))


def test_batches_may_be_larger_than_the_blocks_that_are_looked_up() -> None:
    assert sorted(rows_of(EpochOrder(30_000, 10_000))) == list(range(30_000))


def test_other_batches_do_not_exist() -> None:
    with pytest.raises(IndexError, match="no batch 5"):
        EpochOrder(20, 4).rows(0, 5)
    with pytest.raises(ValueError, match="rank 2 of 2"):
        Share(2, 2)
    with pytest.raises(ValueError, match="batches of 0"):
        EpochOrder(20, 0)
    with pytest.raises(ValueError, match="batches of 0"):
        EndlessOrder(0)


@pytest.mark.parametrize("world", [1, 3])
@pytest.mark.parametrize("batches", [None, 2])
def test_an_endless_order_leaves_no_row_out(world: int, batches: int | None) -> None:
    orders = [EndlessOrder(4, batches, Share(rank, world)) for rank in range(world)]
    places = [(0, batch) for batch in range(6)] if batches is None else [divmod(number, batches) for number in range(6)]
    seen = np.concatenate([order.rows(epoch, batch) for epoch, batch in places for order in orders])
    assert sorted(seen.tolist()) == list(range(24 * world))
