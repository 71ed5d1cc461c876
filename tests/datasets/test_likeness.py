"""What can be heard of a patch: the same for all ways to write it, another for another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wav2patch.datasets.recipes.recipe import column_names
from wav2patch.datasets.views.likeness import SILENT, Likeness, basis
from wav2patch.parameters import Categorical, Continuous, Discrete, ParameterSpace
from wav2patch.structure import Activity, Condition, Symmetry
from wav2patch.synths.catalogue import load_synth

SYNTHS = ("dexed", "vital", "surge_xt_simple", "surge_xt_full", "ksin_16", "kosc_4", "fm_hierarchical")


@pytest.mark.parametrize("name", SYNTHS)
def test_a_symmetry_changes_nothing(name: str) -> None:
    synth = load_synth(name)
    space, likeness = synth.space, Likeness(synth.space, 1e-3)
    patches = synth.prior().sample(np.random.default_rng([3, 0]), 150)
    expected = likeness(space.encode(patches))
    moved = 0
    # Several, one after the other, as two rows may be any number of exchanges apart.
    for symmetry in [*space.symmetries[:8], *space.symmetries[-3:]]:
        exchanged = space.permute(patches, symmetry)
        moved += int(np.any(exchanged != patches))
        patches = exchanged
        np.testing.assert_array_equal(likeness(space.encode(patches)), expected)
    assert moved


@pytest.mark.parametrize("name", SYNTHS)
def test_what_cannot_be_heard_changes_nothing(name: str) -> None:
    synth = load_synth(name)
    space, likeness = synth.space, Likeness(synth.space, 1e-3)
    patches = synth.prior().sample(np.random.default_rng([4, 0]), 60)
    others = synth.prior().sample(np.random.default_rng([4, 1]), 60)
    mixed = np.where(space.active(patches), patches, others)
    np.testing.assert_array_equal(likeness(space.encode(mixed)), likeness(space.encode(patches)))


@pytest.mark.parametrize("name", SYNTHS)
def test_what_can_be_heard_changes_something(name: str) -> None:
    synth = load_synth(name)
    space, likeness = synth.space, Likeness(synth.space, 1e-3)
    patches = synth.prior().sample(np.random.default_rng([5, 0]), 60)
    rng = np.random.default_rng([5, 1])
    changed = patches.copy()
    for row, active in enumerate(space.active(patches)):
        place = rng.choice(np.flatnonzero(active))
        low, high = space.low[place], space.high[place]
        step = (high - low) / 2 if space.is_continuous[place] else 1
        changed[row, place] = patches[row, place] + (step if patches[row, place] + step <= high else -step)
    changed = space.snap(changed)
    differ = np.abs(likeness(space.encode(changed)) - likeness(space.encode(patches))).max(axis=1)
    assert (differ > 0.2).all()


def space_with_a_switch() -> ParameterSpace:
    return ParameterSpace(
        (
            Continuous("level", -1, 1, 0),
            Continuous("rate", 0, 10, 0),
            Discrete("steps", 2, 9, 2),
            Categorical("kind", ("a", "b")),
        ),
        activities=(
            Activity(("rate",), ((Condition("level", unless=(0.0,)),),)),
            Activity(("steps",), ((Condition("kind", values=(1.0,)),),)),
        ),
    )


def test_values_are_shares_and_whole_numbers() -> None:
    space = space_with_a_switch()
    likeness = Likeness(space, 1e-3)
    patches = [[0.5, 2.5, 4, 1], [0.0, 2.5, 4, 1], [0.5, 2.5, 4, 0]]
    np.testing.assert_allclose(
        likeness(space.encode(patches)), [[0.75, 0.25, 2, 1], [0.5, SILENT, 2, 1], [0.75, 0.25, SILENT, 0]], atol=1e-6
    )
    assert likeness.exact.tolist() == [False, False, True, True]


def test_next_to_nothing_counts_as_nothing() -> None:
    space = space_with_a_switch()
    likes = Likeness(space, 1e-3)(space.encode([[0.0, 1, 2, 0], [0.0015, 9, 2, 0], [0.005, 9, 2, 0]]))
    np.testing.assert_array_equal(likes[0], likes[1])
    assert likes[2, 1] == pytest.approx(0.9, abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.permutations(range(5)), st.integers(0, 10**6))
def test_blocks_in_any_order_are_alike(order: list[int], seed: int) -> None:
    parameters = [(Continuous(f"f{i}"), Discrete(f"n{i}", 0, 2), Continuous(f"a{i}")) for i in range(5)]
    names = [tuple(one.name for one in block) for block in parameters]
    swaps = tuple(Symmetry(f"{i}", (*names[i], *names[i + 1]), (*names[i + 1], *names[i])) for i in (2, 0, 3, 1))
    space = ParameterSpace(tuple(one for block in parameters for one in block), symmetries=swaps)
    rng = np.random.default_rng([seed, 2])
    # Few values, so that ties are common.
    blocks = np.stack([rng.integers(0, 3, 5) / 2, rng.integers(0, 3, 5), rng.integers(0, 3, 5) / 2], axis=1)
    likeness = Likeness(space, 1e-3)
    both = likeness(space.encode([blocks.ravel(), blocks[order].ravel()]))
    np.testing.assert_array_equal(both[0], both[1])


def test_a_synth_that_is_known_is_compared_by_what_can_be_heard() -> None:
    space = load_synth("dexed").space
    found = basis("dexed", space.digest, column_names(space), 1e-3)
    assert found.caveat is None
    assert (found.likeness(space.encode([space.default])) == SILENT).any()


@pytest.mark.parametrize(("synth", "told"), [("dexed", "otherwise"), ("no_such_synth", "not known here")])
def test_a_synth_that_is_not_is_compared_in_all_parameters(synth: str, told: str) -> None:
    space = load_synth("dexed").space
    found = basis(synth, "0123456789abcdef", column_names(space), 1e-3)
    assert told in str(found.caveat)
    likes = found.likeness(space.encode([space.default]))
    assert likes.shape == (1, len(space))
    assert not (likes == SILENT).any()
    assert found.likeness.exact.tolist() == space.is_categorical.tolist()
