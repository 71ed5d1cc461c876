"""How the learning rate changes."""

from __future__ import annotations

import math

import pytest
import torch

from wav2patch.training.schedules import Plateau, Scale


def test_it_rises_stays_and_falls() -> None:
    scale = Scale("cosine", warmup=4, hold=10, last=114, final=0.1)
    assert [scale(step) for step in range(4)] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert [scale(step) for step in (4, 9, 13, 14)] == [1.0] * 4
    assert scale(64) == pytest.approx(0.1 + 0.9 / 2)
    assert scale(39) == pytest.approx(0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi / 4)))
    assert [scale(step) for step in (114, 500)] == pytest.approx([0.1, 0.1])


def test_cycles_begin_at_the_highest_as_pytorchs_restarts_do() -> None:
    weight = torch.nn.Parameter(torch.zeros(()))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=10, T_mult=2, eta_min=0.01)
    scale = Scale("cosine", warmup=0, hold=0, last=30, final=0.01, cycles=(1, 2))
    for step in range(30):
        assert scale(step) == pytest.approx(theirs.get_last_lr()[0], abs=1e-9), step
        optimizer.step()
        theirs.step()
    assert scale(30) == pytest.approx(0.01)


@pytest.mark.parametrize("schedule", ["constant", "plateau"])
def test_others_stay(schedule: str) -> None:
    scale = Scale(schedule, warmup=1, hold=0, last=math.inf, final=0.0)  # pyright: ignore[reportArgumentType]
    assert [scale(step) for step in (0, 1, 10_000)] == [0.5, 1.0, 1.0]


@pytest.mark.parametrize("cycles", [(), (1.0, 0.0)])
def test_cycles_have_a_length(cycles: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Scale("cosine", warmup=0, hold=0, last=10, final=0.1, cycles=cycles)


def test_a_plateau_is_pytorchs() -> None:
    figures = [1.0, 0.9, 0.9, 0.95, 0.91, 0.8, 0.8, 0.79999, 0.8, 0.7, 0.71, 0.72, 0.73, 0.74]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(()))], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=2)
    ours = Plateau(patience=2)
    for figure in figures:
        theirs.step(figure)
        ours.update(figure)
        assert ours.scale == pytest.approx(optimizer.param_groups[0]["lr"])
    assert ours.scale == pytest.approx(1e-3)


def test_a_plateau_goes_on_where_it_was() -> None:
    first, second = Plateau(patience=1), Plateau(patience=1)
    for figure in (1.0, 2.0):
        first.update(figure)
    second.load_state_dict(first.state_dict())
    second.update(3.0)
    assert second.scale == pytest.approx(0.1)
