"""Priors that draw every parameter by itself."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from wav2patch.parameters import Categorical, Continuous, Discrete, ParameterSpace
from wav2patch.priors import IndependentPrior, Marginal, UniformPrior


def test_uniform_draws_reach_both_ends_alike() -> None:
    space = ParameterSpace((Discrete("level", 0, 3), Categorical("wave", ("a", "b"))))
    drawn = UniformPrior(space).sample(np.random.default_rng([1]), 20000)
    np.testing.assert_allclose(np.bincount(drawn[:, 0].astype(int)) / 20000, 0.25, atol=0.02)
    np.testing.assert_allclose(np.bincount(drawn[:, 1].astype(int)) / 20000, 0.5, atol=0.02)


def test_independent_draws_follow_their_rules() -> None:
    space = ParameterSpace((Continuous("a"), Categorical("b", ("x", "y", "z")), Discrete("c", -3, 3), Continuous("d")))
    rules = {
        "a": Marginal(low=0.2, high=0.4, constant=0.9, probability=0.25),
        "b": Marginal(weights=(0, 3, 1)),
        "c": Marginal(low=-1, high=1),
    }
    drawn = IndependentPrior(space, rules).sample(np.random.default_rng([3]), 4000)
    space.validate(drawn)
    assert_array_equal(space.decode(space.encode(drawn)), drawn)
    held = np.isclose(drawn[:, 0], 0.9)
    assert np.isclose(held.mean(), 0.25, atol=0.03)
    assert ((drawn[~held, 0] >= 0.199) & (drawn[~held, 0] <= 0.401)).all()
    assert_allclose(np.bincount(drawn[:, 1].astype(int)) / 4000, [0, 0.75, 0.25], atol=0.03)
    assert_allclose(np.bincount(drawn[:, 2].astype(int) + 1) / 4000, [1 / 3] * 3, atol=0.03)
    assert drawn[:, 3].min() < 0.01
    assert drawn[:, 3].max() > 0.99


@pytest.mark.parametrize(
    "rule",
    [Marginal(low=-0.1), Marginal(high=1.1), Marginal(constant=2.0, probability=0.5), Marginal(weights=(1.0,))],
)
def test_a_rule_that_does_not_fit_is_refused(rule: Marginal) -> None:
    with pytest.raises(ValueError, match="a "):
        IndependentPrior(ParameterSpace((Continuous("a"),)), {"a": rule})
