"""The rows that every table has."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from wav2patch.evaluation.baselines import MEAN, RANDOM, TRUTH, RandomDraws, baselines, mean_patch
from wav2patch.evaluation.rows import TensorRows, ViewRows
from wav2patch.priors import UniformPrior
from wav2patch.synths.catalogue import load_synth


def test_each_row_gets_what_the_baseline_says(dexed_rows: ViewRows) -> None:
    rows = dexed_rows.read(range(4))
    found = {name: propose(rows, 3, 5) for name, propose in baselines(dexed_rows.prior, 5).items()}
    assert list(found) == [TRUTH, MEAN, RANDOM]
    assert all(np.array_equal(one.patches, row.patch[None]) for one, row in zip(found[TRUTH], rows, strict=True))
    assert {one.patches.tobytes() for one in found[MEAN]} == {found[MEAN][0].patches.tobytes()}
    assert [one.patches.shape for one in found[RANDOM]] == [(3, len(dexed_rows.synth.space))] * 4


def test_random_draws_are_functions_of_seed_and_index(dexed_rows: ViewRows) -> None:
    rows, draws = dexed_rows.read(range(4)), RandomDraws(dexed_rows.prior)
    together, alone = draws(rows, 2, 7), draws([rows[2]], 2, 7)
    assert np.array_equal(together[2].patches, alone[0].patches)
    assert not np.array_equal(together[2].patches, draws([rows[2]], 2, 8)[0].patches)


def test_random_draws_are_not_the_rows_of_a_set_with_the_same_seed(kosc_rows: TensorRows) -> None:
    from wav2patch.training.online import TEST_SEED

    rows = kosc_rows.read(range(40))
    draws = RandomDraws(kosc_rows.prior)(rows, 1, TEST_SEED)
    assert all(not np.array_equal(one.patches[0], row.patch) for one, row in zip(draws, rows, strict=True))


def test_the_mean_of_a_uniform_prior_is_exact() -> None:
    synth = load_synth("kosc_4")
    assert np.array_equal(mean_patch(synth.prior(), 0), np.zeros(12))


@pytest.mark.parametrize("name", ["dexed", "ksin_4_shifted"])
def test_the_mean_of_a_prior_is_that_of_its_draws(name: str) -> None:
    space, prior = load_synth(name).space, load_synth(name).prior()
    found = space.encode(mean_patch(prior, 1))
    draws = space.encode(prior.sample(np.random.default_rng(99), 3000))
    scalar = np.repeat(~space.is_categorical, [p.width for p in space.parameters])
    assert_allclose(found[scalar], draws.mean(axis=0)[scalar], atol=0.05 if name == "ksin_4_shifted" else 0.2)
    for place, column in enumerate(space.columns):
        if space.is_categorical[place]:
            chosen = draws[:, column].mean(axis=0)
            assert chosen[found[column].argmax()] > chosen.max() - 0.1


def test_the_middle_of_a_uniform_prior_of_all_kinds_is_that_of_its_draws() -> None:
    prior = UniformPrior(load_synth("dexed").space)
    exact = prior.space.encode(mean_patch(prior, 0))
    drawn = prior.space.encode(prior.sample(np.random.default_rng(2), 4000)).mean(axis=0)
    scalar = np.repeat(~prior.space.is_categorical, [p.width for p in prior.space.parameters])
    # A grid with an even number of steps has no middle.
    assert np.abs(exact - drawn)[scalar].max() < 0.52
    assert np.abs(exact - drawn)[scalar].mean() < 0.05
