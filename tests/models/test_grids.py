"""Output layouts in which discrete parameters are choices."""

from __future__ import annotations

import torch

from wav2patch.models.endpoints import Endpoints
from wav2patch.models.grids import gridded, spans
from wav2patch.models.layout import Layout, space_layout
from wav2patch.synths.catalogue import load_synth

MIXED = Layout(
    ("a", "wave", "b", "c", "level"), ("discrete", "categorical", "discrete", "discrete", "continuous"), (3, 2, 3, 5, 0)
)


def test_a_discrete_parameter_gets_a_column_a_value() -> None:
    outputs = gridded(MIXED, 4)
    assert outputs.widths == (3, 2, 3, 1, 1)
    assert outputs.kinds == ("categorical", "categorical", "categorical", "discrete", "continuous")
    assert outputs.sizes == MIXED.sizes
    lies = [(one.start, one.stop) for one in spans(MIXED, outputs)]
    assert lies == [(0, 3), (3, 4), (4, 5), (5, 8), (8, 9), (9, 10)]


def test_what_is_not_changed_is_the_same() -> None:
    layout = space_layout(load_synth("kosc_4").space)
    assert gridded(layout, 128) is layout
    assert gridded(MIXED, 2) is MIXED
    assert [one.start for one in spans(MIXED, MIXED)] == list(range(MIXED.width))


def test_symmetries_exchange_whole_answers() -> None:
    swapped = Layout(MIXED.names, MIXED.kinds, MIXED.sizes, ((3, 1, 2, 0, 4, 5),))
    (order,) = gridded(swapped, 4).symmetries
    assert order == (5, 6, 7, 3, 4, 0, 1, 2, 8, 9)


def test_parameters_that_are_exchanged_for_others_stay_spread() -> None:
    """First a and c, of 3 and of 5 values; then b, which is exchanged for a."""
    symmetries = ((3, 1, 2, 0, 4, 5), (4, 1, 2, 3, 0, 5))
    odd = Layout(MIXED.names, MIXED.kinds, MIXED.sizes, symmetries)
    assert gridded(odd, 128) is odd


def test_answers_are_the_nearest_values_and_the_largest_columns() -> None:
    outputs = gridded(MIXED, 128)
    endpoints = Endpoints(MIXED, outputs, outputs.of_kind("categorical"))
    vectors = torch.tensor([[-1.0, 1.0, -1.0, 0.1, 0.5, 0.3], [0.9, -1.0, 1.0, -2.0, 7.0, 0.3]])
    assert endpoints.answers(vectors).tolist() == [[0, 0, 1, 3], [2, 1, 0, 4]]
    certain = torch.full((2, 4, 5), -torch.inf)
    certain.scatter_(2, endpoints.answers(vectors)[..., None], 0.0)
    exact = torch.tensor([[-1.0, 1.0, -1.0, 0.0, 0.5, 9.0], [1.0, -1.0, 1.0, -1.0, 1.0, 9.0]])
    torch.testing.assert_close(endpoints.mean(certain, torch.full((2, 6), 9.0)), exact)


def test_one_value_is_always_right() -> None:
    layout = Layout(("only", "level"), ("discrete", "continuous"), (1, 0))
    outputs = gridded(layout, 128)
    endpoints = Endpoints(layout, outputs, (0,))
    found = endpoints.mean(torch.zeros(2, 1, 1), torch.zeros(2, 2))
    assert found.tolist() == [[-1.0, 0.0]] * 2
