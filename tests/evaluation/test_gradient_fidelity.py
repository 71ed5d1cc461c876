"""Derivatives of proxies beside differences of a synth whose derivatives are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from wav2patch.evaluation.gradient_fidelity import Slopes, fidelity, measure_slopes
from wav2patch.models.layout import space_layout
from wav2patch.models.preset_encoders.catalogue import PUBLISHED, make_preset_encoder
from wav2patch.parameters import Categorical, Continuous, Discrete, ParameterSpace

SPACE = ParameterSpace(
    (
        Continuous("level"),
        Categorical("wave", ("sine", "saw", "square")),
        Discrete("voices", 1, 5),
        Continuous("cutoff", -10.0, 20.0),
        Continuous("dead"),
    )
)
SIZE = 6
MATRIX = np.random.default_rng([71, 0]).normal(size=(SPACE.width, SIZE))
MATRIX[SPACE.columns[4]] = 0.0


def patches(n: int = 20) -> np.ndarray:
    drawn = np.random.default_rng([72, n]).uniform(size=(n, len(SPACE)))
    return SPACE.snap(SPACE.low + drawn * (SPACE.high - SPACE.low))


def slopes() -> Slopes:
    return measure_slopes(SPACE, patches(), lambda some: SPACE.encode(some) @ MATRIX, per_patch=3)


def proxy(vectors: Tensor, matrix: np.ndarray = MATRIX) -> Tensor:
    return (vectors + 1.0) / 2.0 @ torch.from_numpy(matrix).float()


def test_numbers_are_moved_and_choices_are_not() -> None:
    found = slopes()
    assert len(found.columns) == 60
    assert set(found.columns.tolist()) == {SPACE.columns[i].start for i in (0, 2, 3, 4)}
    assert (found.width > 0).all()
    steps = found.width[found.columns == SPACE.columns[2].start]
    assert set(np.round(steps, 6).tolist()) <= {0.25, 0.5}  # by a whole step to either side, or to one at an end


def test_a_linear_synth_has_the_slopes_of_its_matrix() -> None:
    found = slopes()
    np.testing.assert_allclose(found.real, MATRIX[found.columns], atol=1e-6)


def test_the_synth_itself_is_perfect() -> None:
    found = fidelity(slopes(), proxy)
    assert found.cosine == pytest.approx(1.0, abs=1e-5)
    assert found.length == pytest.approx(1.0, abs=1e-5)
    assert found.sign == 1.0
    assert found.silent == pytest.approx(0.0, abs=1e-6)
    assert found.count == int((slopes().columns != SPACE.columns[4].start).sum())


def test_the_wrong_way_round_is_as_wrong_as_can_be() -> None:
    found = fidelity(slopes(), lambda vectors: proxy(vectors, -2.0 * MATRIX))
    assert found.cosine == pytest.approx(-1.0, abs=1e-5)
    assert found.length == pytest.approx(2.0, abs=1e-5)
    assert found.sign == 0.0


def test_a_proxy_of_other_things_has_chance() -> None:
    other = np.random.default_rng([73, 0]).normal(size=MATRIX.shape)
    found = fidelity(slopes(), lambda vectors: proxy(vectors, other))
    assert abs(found.cosine) < 0.6
    assert found.silent > 0.2


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_every_preset_encoder_can_be_derived(name: str) -> None:
    torch.manual_seed(0)
    encoder = make_preset_encoder(name, space_layout(SPACE), SIZE).eval()
    found = fidelity(slopes(), encoder)
    assert np.isfinite([found.cosine, found.length, found.sign, found.silent]).all()
