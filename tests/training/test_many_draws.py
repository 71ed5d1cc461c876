from __future__ import annotations

import numpy as np
import pytest

from wav2patch.priors import draw
from wav2patch.synths.catalogue import load_synth
from wav2patch.synths.tensor.synth import TensorSynth
from wav2patch.training.many_draws import Generators, draw_many

INDICES = np.array([0, 1, 2, 77, 2**16, 2**31, 2**32 - 1])


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**32, 2**40 + 3, 2**70 + 1])
def test_numbers_are_numpys_own(seed: int) -> None:
    many = Generators(seed, INDICES)
    first, second = many.random((len(INDICES), 5)), many.random((len(INDICES), 2, 3))
    for row, index in enumerate(INDICES):
        generator = np.random.default_rng([seed, int(index), 0])
        assert np.array_equal(first[row], generator.random(5))
        assert np.array_equal(second[row], generator.random((2, 3)))


@pytest.mark.parametrize("name", ["kosc_4", "ksin_4_shifted", "fm_conditional", "inversynth_fm", "dexed"])
@pytest.mark.parametrize("indices", [np.arange(20), np.array([2**32, 3])])
def test_draws_are_those_of_one_row_at_a_time(name: str, indices: np.ndarray) -> None:
    synth = load_synth(name)
    for prior in [synth.prior(), *([synth.test_prior()] if isinstance(synth, TensorSynth) else [])]:
        expected = np.stack([draw(prior, 3, int(index)) for index in indices])
        assert np.array_equal(draw_many(prior, 3, indices), expected)
