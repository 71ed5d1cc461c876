"""Random numbers that are a function of (seed, epoch, row, purpose)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from wav2patch.models.noise import Noise

ROWS = torch.arange(4_000)


def test_a_row_draws_the_same_numbers_in_any_batch() -> None:
    whole = Noise(3, 1, ROWS).normal("start", 7)
    some = torch.tensor([17, 3, 3_999])
    torch.testing.assert_close(Noise(3, 1, some).normal("start", 7), whole[some], rtol=0, atol=0)


@pytest.mark.parametrize(
    "other", [Noise(4, 1, ROWS), Noise(3, 2, ROWS), Noise(3, 1, ROWS + 1), Noise(3 + (1 << 31), 1, ROWS)]
)
def test_another_seed_epoch_or_row_draws_others(other: Noise) -> None:
    mine, theirs = Noise(3, 1, ROWS).uniform("a", 3), other.uniform("a", 3)
    assert (mine == theirs).float().mean() < 0.01
    assert abs(np.corrcoef(mine.flatten(), theirs.flatten())[0, 1]) < 0.04


def test_purposes_are_independent() -> None:
    noise = Noise(0, 0, ROWS)
    first, second = noise.uniform("time", 1)[:, 0], noise.uniform("dropout", 1)[:, 0]
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.06


def test_uniform_and_normal_are_what_they_say() -> None:
    noise = Noise(11, 5, ROWS)
    assert stats.kstest(noise.uniform("u", 5).flatten().numpy(), "uniform").pvalue > 1e-3
    assert stats.kstest(noise.normal("n", 5).flatten().numpy(), "norm").pvalue > 1e-3


def test_columns_and_rows_are_uncorrelated() -> None:
    drawn = Noise(0, 0, ROWS).normal("start", 20)
    columns = np.corrcoef(drawn.T.numpy()) - np.eye(20)
    neighbours = np.corrcoef(drawn[:-1].flatten(), drawn[1:].flatten())[0, 1]
    assert np.abs(columns).max() < 0.08
    assert abs(neighbours) < 0.02


def test_numbers_stay_what_they_are() -> None:
    drawn = Noise(7, 2, torch.tensor([0, 1_000_000_007])).uniform("time", 2)
    again = Noise(7, 2, torch.tensor([1_000_000_007])).uniform("time", 1)
    assert drawn[1, 0] == again[0, 0]
    assert ((drawn > 0) & (drawn < 1)).all()


def test_no_generator_is_touched() -> None:
    before = torch.get_rng_state()
    Noise(0, 0, ROWS).normal("start", 3)
    assert torch.equal(before, torch.get_rng_state())
