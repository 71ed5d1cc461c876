"""Layouts and interchangeable blocks of every synth's space."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from wav2patch.models.blocks import fixed_columns, interchangeable
from wav2patch.models.layout import Layout, space_layout
from wav2patch.parameters import Categorical, Continuous, Discrete, ParameterSpace
from wav2patch.structure import Symmetry
from wav2patch.synths.catalogue import load_synth

NAMES = ("kosc_4", "kosc_4_asymmetric", "ksin_16", "fm_mixed", "fm_hierarchical", "dexed", "vital", "surge_xt_simple")
MIXED = ParameterSpace(
    (Continuous("a"), Discrete("b", 1, 5), Categorical("c", ("x", "y", "z")), Categorical("d", ("x", "y", "z"))),
    symmetries=(Symmetry("swap", ("c", "d"), ("d", "c")),),
)


@pytest.mark.parametrize("name", NAMES)
def test_columns_are_those_of_the_space(name: str) -> None:
    space = load_synth(name).space
    layout = space_layout(space)
    assert layout.width == space.width
    assert layout.columns == space.columns
    assert layout.names == space.names


def test_a_predicted_note_has_three_more_columns() -> None:
    layout = space_layout(MIXED, pitches=25)
    assert layout.width == MIXED.width + 3 == 11
    assert layout.names[-3:] == ("note pitch", "note start", "note end")
    assert layout.kinds[-3:] == ("discrete", "continuous", "continuous")
    assert layout.sizes[-3:] == (25, 0, 0)
    assert layout.symmetries[0][-3:] == (8, 9, 10)


def test_kinds_and_sizes() -> None:
    layout = space_layout(MIXED)
    assert layout.kinds == ("continuous", "discrete", "categorical", "categorical")
    assert layout.sizes == (0, 5, 3, 3)
    assert layout.of_kind("categorical") == (2, 3)


def test_a_symmetry_moves_the_columns_of_an_encoding_as_it_moves_parameters() -> None:
    layout = space_layout(MIXED)
    patch = np.array([0.25, 3.0, 0.0, 2.0])
    moved = MIXED.encode(MIXED.permute(patch, MIXED.symmetries[0]))
    np.testing.assert_array_equal(MIXED.encode(patch)[list(layout.symmetries[0])], moved)


@pytest.mark.parametrize("name", NAMES)
def test_blocks_and_fixed_columns_are_all_columns_once(name: str) -> None:
    layout = space_layout(load_synth(name).space)
    moved = [column for blocks in interchangeable(layout) for block in blocks for column in block]
    assert sorted([*moved, *fixed_columns(layout)]) == list(range(layout.width))


@pytest.mark.parametrize("name", NAMES)
def test_a_symmetry_takes_whole_blocks_to_whole_blocks(name: str) -> None:
    layout = space_layout(load_synth(name).space)
    for blocks in interchangeable(layout):
        for order in layout.symmetries:
            assert {tuple(order[column] for column in block) for block in blocks} == set(blocks)


def test_the_oscillators_of_kosc_are_its_blocks() -> None:
    layout = space_layout(load_synth("kosc_4").space)
    assert interchangeable(layout) == (((0, 4, 8), (1, 5, 9), (2, 6, 10), (3, 7, 11)),)
    assert interchangeable(space_layout(load_synth("kosc_4_asymmetric").space)) == ()


@pytest.mark.parametrize("order", list(permutations(range(3)))[1:])
def test_blocks_in_any_order_of_columns(order: tuple[int, ...]) -> None:
    """Three blocks of two columns, the second columns in another order than the first."""
    second = [3 + place for place in order]
    swap, cycle = list(range(6)), list(range(6))
    swap[0], swap[1], swap[second[0]], swap[second[1]] = 1, 0, second[1], second[0]
    for here, there in ((0, 1), (1, 2), (2, 0)):
        cycle[here], cycle[second[here]] = there, second[there]
    layout = Layout(tuple("abcdef"), ("continuous",) * 6, (0,) * 6, (tuple(swap), tuple(cycle)))
    assert interchangeable(layout) == (tuple(zip(range(3), second, strict=True)),)


def test_columns_that_do_not_move_together_are_other_groups() -> None:
    layout = Layout(tuple("abcd"), ("continuous",) * 4, (0,) * 4, ((1, 0, 2, 3), (0, 1, 3, 2)))
    assert interchangeable(layout) == (((0,), (1,)), ((2,), (3,)))
