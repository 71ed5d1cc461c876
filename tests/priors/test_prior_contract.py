"""What every prior promises, those of all synths among them."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from prior_spaces import BLOCKS, SPACE, correlated_patches

from wav2patch.parameters import Patch
from wav2patch.priors import (
    CrossoverPrior,
    IndependentPrior,
    Marginal,
    MixturePrior,
    MutationPrior,
    PresetPrior,
    Prior,
    UniformPrior,
    draw,
    fit_copula,
)
from wav2patch.synths.catalogue import SYNTHS, load_synth
from wav2patch.synths.plugins.synth import PluginSynth
from wav2patch.synths.tensor.synth import TensorSynth


def presets() -> PresetPrior:
    return PresetPrior(SPACE, correlated_patches(200))


def blocks() -> PresetPrior:
    return PresetPrior(BLOCKS, UniformPrior(BLOCKS).sample(np.random.default_rng([1, 0]), 40))


def voices() -> PresetPrior:
    prior = load_synth("dexed").prior()
    return PresetPrior(prior.space, prior.sample(np.random.default_rng([2, 0]), 60))


def vital_presets() -> PresetPrior:
    prior = load_synth("vital").prior()
    return PresetPrior(prior.space, prior.sample(np.random.default_rng([3, 0]), 30))


def paper_test_prior(name: str) -> Prior:
    synth = load_synth(name)
    assert isinstance(synth, TensorSynth)
    return synth.test_prior()


def published(name: str) -> Prior:
    synth = load_synth(name)
    assert isinstance(synth, PluginSynth)
    return synth.prior(published=True)


PRIORS: dict[str, Callable[[], Prior]] = {
    "uniform": lambda: UniformPrior(SPACE),
    "independent": lambda: IndependentPrior(
        SPACE, {"cutoff": Marginal(0.1, 0.7), "wave": Marginal(weights=(1, 2, 3)), "level": Marginal(None, 50)}
    ),
    "copula": lambda: fit_copula(SPACE, correlated_patches()),
    "presets": presets,
    "presets of dexed": voices,
    "mutations": lambda: MutationPrior(presets()),
    "mutations of dexed": lambda: MutationPrior(voices()),
    "mutations of vital": lambda: MutationPrior(vital_presets()),
    "strong mutations": lambda: MutationPrior(presets(), 1.0, 1.0, 1.0),
    "crossovers": lambda: CrossoverPrior(blocks()),
    "crossovers of dexed": lambda: CrossoverPrior(voices()),
    "crossovers of vital": lambda: CrossoverPrior(vital_presets()),
    "mutated crossovers": lambda: MutationPrior(CrossoverPrior(blocks())),
    "mixture": lambda: MixturePrior((UniformPrior(SPACE), presets(), MutationPrior(presets())), (2, 1, 1)),
    "test ksin_16_shifted": lambda: paper_test_prior("ksin_16_shifted"),
    **{f"synth {name}": lambda name=name: load_synth(name).prior() for name in SYNTHS},
    **{f"published {name}": lambda name=name: published(name) for name in ("dexed_plugin", "tal_noisemaker")},
}


@pytest.fixture(params=PRIORS, scope="module")
def prior(request: pytest.FixtureRequest) -> Prior:
    return PRIORS[request.param]()


def one_by_one(prior: Prior, count: int, seed: int = 3) -> Patch:
    return np.stack([draw(prior, seed, i) for i in range(count)])


def test_draws_are_patches_that_an_encoding_brings_back_exactly(prior: Prior) -> None:
    space = prior.space
    patches = np.concatenate([one_by_one(prior, 100), prior.sample(np.random.default_rng([5]), 100)])
    assert patches.dtype == np.float64
    assert patches.shape == (200, len(space))
    space.validate(patches)
    assert_array_equal(space.snap(patches), patches)
    assert_array_equal(space.decode(space.encode(patches)), patches)


def test_a_draw_depends_on_seed_index_and_attempt_alone(prior: Prior) -> None:
    patches = one_by_one(prior, 50)
    assert_array_equal(draw(prior, 3, 17), patches[17])
    assert not np.array_equal(one_by_one(prior, 50, seed=4), patches)
    attempts = np.stack([draw(prior, 3, 17, attempt) for attempt in range(6)])
    assert len(np.unique(attempts, axis=0)) > 3
    assert len(np.unique(patches, axis=0)) > 20


def test_a_draw_leaves_the_prior_as_it_was(prior: Prior) -> None:
    first = draw(prior, 3, 0)
    kept = first.copy()
    first += 1e9
    prior.sample(np.random.default_rng([6]), 20)[:] = -1.0
    assert_array_equal(draw(prior, 3, 0), kept)


def test_one_by_one_and_many_at_once_follow_the_same_distribution(prior: Prior) -> None:
    count, space = 500, prior.space
    single, many = one_by_one(prior, count), prior.sample(np.random.default_rng([8]), count)
    span = space.high - space.low
    spread = np.sqrt((single.var(axis=0) + many.var(axis=0)) / count)
    # Rare values may be missing from both samples, so that their spread says too little.
    assert (np.abs(single.mean(axis=0) - many.mean(axis=0)) <= 5 * spread + 8 * span / count).all()


def test_a_worker_process_draws_the_same(prior: Prior) -> None:
    draw(prior, 0, 0)
    assert_array_equal(one_by_one(pickle.loads(pickle.dumps(prior)), 10), one_by_one(prior, 10))
