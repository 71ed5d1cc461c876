"""Presets, their mutations and crossovers, and mixtures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from prior_spaces import BLOCKS, SPACE, correlated_patches

from wav2patch.errors import UserError
from wav2patch.parameters import Categorical, Continuous, Discrete, ParameterSpace
from wav2patch.priors import (
    CrossoverPrior,
    MixturePrior,
    MutationPrior,
    PresetPrior,
    Prior,
    UniformPrior,
    distinct,
    draw,
)
from wav2patch.synths.catalogue import load_synth


def generator(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_presets_are_drawn_alike_and_copies_count_once() -> None:
    patches = distinct(SPACE, correlated_patches(10))
    prior = PresetPrior(SPACE, np.concatenate([patches, patches[:5], patches[:5]]))
    assert len(prior) == 10
    drawn = prior.sample(generator(1), 20000)
    found, counts = np.unique(drawn, axis=0, return_counts=True)
    assert_array_equal(found, patches)
    assert_allclose(counts / 20000, 0.1, atol=0.012)


def test_the_order_of_the_presets_makes_no_difference() -> None:
    patches = correlated_patches(50)
    shuffled = generator(2).permutation(np.concatenate([patches, patches]), axis=0)
    one, other = PresetPrior(SPACE, patches), PresetPrior(SPACE, shuffled)
    assert one.patches.tobytes() == other.patches.tobytes()
    assert_array_equal(one.sample(generator(3), 100), other.sample(generator(3), 100))


def test_a_minus_before_zero_makes_no_second_preset() -> None:
    space = ParameterSpace((Continuous("pan", -1, 1), Discrete("n", -2, 2)))
    patches = np.array([[0.0, -0.0], [-0.0, 0.0]])
    assert distinct(space, patches).tobytes() == np.zeros((1, 2)).tobytes()


@pytest.mark.parametrize("patches", [[[2, 0], [1, 0]], [[1, 0], [1, 0]], [[1, 1], [1, 0]], [[1, 0], [1, 1], [2, 0]]])
def test_distinct_patches_ascend_however_they_come(patches: list[list[float]]) -> None:
    space = ParameterSpace((Discrete("a", 0, 9), Discrete("b", 0, 9)))
    assert_array_equal(distinct(space, np.array(patches, dtype=float)), sorted({tuple(p) for p in patches}))


def test_a_prior_keeps_its_presets_from_being_changed() -> None:
    patches = distinct(SPACE, correlated_patches(5))
    prior = PresetPrior(SPACE, patches)
    with pytest.raises(ValueError, match="read-only"):
        prior.patches[0] = 0
    assert patches.flags.writeable


def test_no_presets_and_values_out_of_range_are_refused() -> None:
    with pytest.raises(UserError, match="at least one"):
        PresetPrior(SPACE, np.empty((0, 3)))
    with pytest.raises(UserError, match="level is a whole number from 0 to 99, not 200"):
        PresetPrior(SPACE, np.array([[200.0, 0, 0]]))
    with pytest.raises(UserError, match="at least two different"):
        CrossoverPrior(PresetPrior(SPACE, np.array([[1.0, 0, 0], [1.0, 0, 0]])))


MIXED = ParameterSpace(
    (Continuous("x", -2.0, 2.0), Discrete("n", 0, 99), Discrete("few", 0, 2), Categorical("c", tuple("abcde")))
)
MIDDLE = PresetPrior(MIXED, np.array([[0.0, 50, 1, 1], [0.0, 50, 1, 3]]))


def test_mutations_have_the_strength_and_the_share_that_were_asked_for() -> None:
    drawn = MutationPrior(MIDDLE, strength=0.1, share=0.4).sample(generator(4), 20000)
    moved = drawn[:, :3] != [0.0, 50, 1]
    # Of the noise on the 100 steps, 4% is rounded away; on the 3, where it is half a step, 68%.
    assert_allclose(moved.mean(axis=0), [0.4, 0.4 * 0.96, 0.4 * 0.317], atol=0.015)
    assert drawn[moved[:, 0], 0].std() == pytest.approx(0.1 * 4, rel=0.03)
    assert drawn[moved[:, 1], 1].std() == pytest.approx(0.1 * 99, rel=0.04)


def test_mutations_redraw_choices_from_those_that_presets_make() -> None:
    drawn = MutationPrior(MIDDLE, strength=0.0, redraw=0.5).sample(generator(5), 20000)
    assert_array_equal(np.unique(drawn, axis=0), MIDDLE.patches)
    kept = PresetPrior(MIXED, np.array([[-2.0, 0, 0, 0], [2.0, 99, 2, 4]]))
    drawn = MutationPrior(kept, strength=0.0, redraw=0.5).sample(generator(6), 20000)
    # A quarter: half are redrawn, half of those from the same preset.
    assert ((drawn[:, 3] == 4) != (drawn[:, 0] == 2)).mean() == pytest.approx(0.25, abs=0.015)


def test_mutations_leave_half_of_the_values_at_the_ends_there() -> None:
    ends = PresetPrior(MIXED, np.array([[-2.0, 99, 0, 0]]))
    drawn = MutationPrior(ends, share=1.0).sample(generator(7), 20000)
    assert_allclose((drawn[:, :2] == [-2.0, 99]).mean(axis=0), [0.5, 0.52], atol=0.015)


def test_mutations_without_strength_are_their_presets() -> None:
    drawn = MutationPrior(MIDDLE, strength=0.0, redraw=0.0).sample(generator(8), 50)
    assert {tuple(patch) for patch in drawn} == {tuple(patch) for patch in MIDDLE.patches}


@pytest.mark.parametrize("wrong", [{"strength": -0.1}, {"share": 1.5}, {"redraw": float("nan")}])
def test_mutations_take_numbers_from_0_to_1(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"the {next(iter(wrong))} of mutations lies between 0 and 1"):
        MutationPrior(MIDDLE, **wrong)


def test_crossovers_take_blocks_whole_and_loose_parameters_one_by_one() -> None:
    parents = PresetPrior(BLOCKS, np.repeat(np.arange(5.0)[:, None], len(BLOCKS), axis=1))
    drawn = CrossoverPrior(parents).sample(generator(9), 8000)
    assert_array_equal(drawn[:, 0], drawn[:, 1])
    assert_array_equal(drawn[:, 2], drawn[:, 3])
    assert_array_equal(drawn[:, 2], drawn[:, 4])
    units = drawn[:, [0, 2, 5, 6]]
    assert {len(set(child)) for child in units} == {2}
    for one in range(4):
        for other in range(one):
            # Each from the same parent half of the time, but the two cases of sixteen that have one parent are none.
            assert (units[:, one] == units[:, other]).mean() == pytest.approx(0.44, abs=0.05)
    assert_allclose(np.bincount(drawn.astype(int).ravel()) / drawn.size, 0.2, atol=0.015)


def test_crossovers_of_a_space_without_blocks_mix_parameters() -> None:
    drawn = CrossoverPrior(PresetPrior(SPACE, np.array([[0.0, 0, 0], [99.0, 2, 1]]))).sample(generator(10), 200)
    assert len(np.unique(drawn, axis=0)) == 6


def test_crossovers_of_one_whole_block_are_their_presets() -> None:
    space = ParameterSpace(BLOCKS.parameters[:2], BLOCKS.blocks[1:2])
    drawn = CrossoverPrior(PresetPrior(space, np.array([[0.0, 0], [9.0, 9]]))).sample(generator(11), 50)
    assert_array_equal(np.unique(drawn, axis=0), [[0, 0], [9, 9]])


def test_an_operator_of_a_dx7_comes_with_its_envelope() -> None:
    prior = load_synth("dexed").prior()
    space = prior.space
    parents = PresetPrior(space, prior.sample(generator(12), 2))
    child = CrossoverPrior(parents).sample(generator(13), 1)[0]
    for k in range(1, 7):
        own = space.indices([name for name in space.names if name.startswith(f"op{k}_")])
        assert any(np.array_equal(child[own], parent[own]) for parent in parents.patches)
    assert not any(np.array_equal(child, parent) for parent in parents.patches)


@pytest.mark.parametrize("weights", [(3.0, 1.0), (0.75, 0.25), (3e-300, 1e-300), (1.5e308, 0.5e308)])
def test_a_mixture_draws_by_its_weights(weights: tuple[float, float]) -> None:
    low, high = PresetPrior(SPACE, np.zeros((1, 3))), PresetPrior(SPACE, np.array([[99.0, 2, 1]]))
    mixture = MixturePrior((low, high), weights)
    assert (mixture.sample(generator(14), 20000)[:, 0] == 0).mean() == pytest.approx(0.75, abs=0.015)
    assert np.mean([draw(mixture, 1, i)[0] == 0 for i in range(2000)]) == pytest.approx(0.75, abs=0.05)


@pytest.mark.parametrize(
    ("priors", "weights", "message"),
    [
        ((), (), "one weight a prior"),
        ((UniformPrior(SPACE),), (1.0, 2.0), "one weight a prior"),
        ((UniformPrior(SPACE), UniformPrior(SPACE)), (1.0, 0.0), "above 0"),
        ((UniformPrior(SPACE),), (float("inf"),), "above 0"),
        ((UniformPrior(SPACE), UniformPrior(BLOCKS)), (1.0, 1.0), "different spaces"),
    ],
)
def test_mixtures_that_make_no_sense_are_refused(priors: tuple[Prior, ...], weights: tuple[float, ...], message: str):
    with pytest.raises(ValueError, match=message):
        MixturePrior(priors, weights)
