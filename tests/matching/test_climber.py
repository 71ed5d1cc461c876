"""Climbers and moves keep to patches that a preset file can hold."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from wav2patch.matching.climber import Climber
from wav2patch.matching.evaluator import Scored
from wav2patch.matching.moves import Moves
from wav2patch.priors import draw
from wav2patch.synths.catalogue import load_synth


@pytest.mark.parametrize("name", ["dexed", "vital", "tal_noisemaker"])
def test_every_proposal_survives_its_encoding(name: str) -> None:
    synth, generator = load_synth(name), np.random.default_rng([8])
    space, prior = synth.space, synth.prior()
    pool = [draw(prior, 1, i) for i in range(8)]
    climber = Climber(Scored(9.0, pool[0], "prior"), space, Moves(space, prior))
    for _ in range(20):
        proposed = climber.propose(generator, 8, pool, 0.3)
        assert_array_equal(space.decode(space.encode(proposed)), proposed)
        climber.learn(proposed, generator.random(8) * 10)
