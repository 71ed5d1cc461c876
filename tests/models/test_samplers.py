import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
import torchdiffeq
from torch import Tensor

from wav2patch.models.samplers import SAMPLERS, Euler, Heun, RungeKutta4, guided

MEAN, DEVIATION = 0.7, 0.3


def gaussian_velocity(x: Tensor, t: Tensor) -> Tensor:
    """The rectified flow's field, E[x1 − x0 | x_t], from N(0, 1) to N(MEAN, DEVIATION²) by independent pairs."""
    time = t[:, None]
    variance = (1 - time) ** 2 + time**2 * DEVIATION**2
    slope = (time * DEVIATION**2 - (1 - time)) / variance
    return MEAN + slope * (x - time * MEAN)


def gaussian_end(start: Tensor) -> Tensor:
    """Where that field leads: the mean moves, and deviations shrink with √variance(t)."""
    return MEAN + DEVIATION * start


def points(n: int = 16, width: int = 3) -> Tensor:
    return torch.from_numpy(np.random.default_rng([1, n]).normal(size=(n, width)))


def swirl(x: Tensor, t: Tensor) -> Tensor:
    """Not linear in x and not the same at any two times."""
    return torch.sin(2 * x.roll(1, dims=1)) + t[:, None] * torch.cos(3 * x)


@pytest.mark.parametrize(("name", "order"), [("euler", 1), ("heun", 2), ("rk4", 4)])
def test_the_error_falls_with_the_order_of_the_method(name: str, order: int) -> None:
    start = points()
    errors = [
        (SAMPLERS[name](steps)(gaussian_velocity, start) - gaussian_end(start)).abs().max().item()
        for steps in (80, 160, 320)
    ]
    slopes = [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]
    assert slopes == pytest.approx([order, order], abs=0.15)


@pytest.mark.parametrize("field", [gaussian_velocity, swirl])
def test_rk4_agrees_with_torchdiffeq(field: Callable[[Tensor, Tensor], Tensor]) -> None:
    start = points()
    wanted = torchdiffeq.odeint(
        lambda t, x: field(x, t.expand(len(x))),
        start,
        torch.tensor([0.0, 1.0], dtype=torch.float64),
        rtol=1e-12,
        atol=1e-12,
        method="dopri5",
    )[1]  # pyright: ignore
    torch.testing.assert_close(RungeKutta4(400)(field, start), wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("sampler", "method"), [(Euler(7), "euler"), (Heun(7), "heun2")])
def test_single_steps_are_those_of_torchdiffeq(sampler: Callable[..., Tensor], method: str) -> None:
    start, grid = points(), torch.linspace(0, 1, 8, dtype=torch.float64)
    wanted = torchdiffeq.odeint(lambda t, x: swirl(x, t.expand(len(x))), start, grid, method=method)[-1]  # pyright: ignore
    torch.testing.assert_close(sampler(swirl, start), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("sampler", "times"),
    [
        (Euler(2), [0.0, 0.5]),
        (Heun(2), [0.0, 0.5, 0.5, 1.0]),
        (RungeKutta4(2), [0.0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1.0]),
    ],
)
def test_the_field_is_asked_at_these_times(sampler: Euler | Heun | RungeKutta4, times: list[float]) -> None:
    asked = []

    def velocity(x: Tensor, t: Tensor) -> Tensor:
        assert t.shape == (5,)
        assert t.dtype == x.dtype
        asked.append(t[0].item())
        return x

    sampler(velocity, torch.ones(5, 2))
    assert asked == times
    assert sampler.calls == len(times)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_a_landing_sampler_ends_in_the_end_point(name: str) -> None:
    """Whose velocity, (end − x) / (1 − t), does not exist at t = 1."""

    def velocity(x: Tensor, t: Tensor) -> Tensor:
        assert (t < 1).all()
        return (0.3 - x) / (1 - t)[:, None]

    start = points()
    found = SAMPLERS[name](6)(velocity, start, landing=True)
    torch.testing.assert_close(found, torch.full_like(start, 0.3), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_a_constant_field_is_followed_exactly(name: str) -> None:
    start = points()
    torch.testing.assert_close(SAMPLERS[name](3)(lambda x, t: torch.full_like(x, 0.5), start), start + 0.5)


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_the_default_is_sixteen_calls(name: str) -> None:
    assert SAMPLERS[name]().calls == 16  # type: ignore[call-arg]


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_gradients_pass_through(name: str) -> None:
    start = points().requires_grad_()
    SAMPLERS[name](4)(swirl, start).square().sum().backward()
    assert start.grad is not None
    assert start.grad.isfinite().all()
    assert (start.grad != 0).all()


@pytest.mark.parametrize("name", sorted(SAMPLERS))
def test_no_steps_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="at least 1 step"):
        SAMPLERS[name](0)


class Field:
    """Counts its calls and keeps the sizes of their batches."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        self.sizes.append(len(x))
        assert len(x) == len(t) == len(condition)
        return torch.sin(x) * t[:, None] + condition.sum(dim=(1, 2))[:, None] * x


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0, 2.0, 4.0])
def test_guidance_is_the_combination_of_both_fields(weight: float) -> None:
    x, t = points(6), torch.linspace(0, 1, 6, dtype=torch.float64)
    condition = torch.from_numpy(np.random.default_rng([2, 0]).normal(size=(6, 2, 4)))
    null = torch.from_numpy(np.random.default_rng([2, 1]).normal(size=(2, 4)))
    field, counted = Field(), Field()
    free, told = field(x, t, null.expand(6, 2, 4)), field(x, t, condition)
    got = guided(counted, condition, null, weight)(x, t)
    torch.testing.assert_close(got, free + weight * (told - free), rtol=0, atol=1e-12)
    assert counted.sizes == [6 if weight in (0.0, 1.0) else 12]


@pytest.mark.parametrize("sampler", [Euler(3), Heun(3), RungeKutta4(3)])
def test_a_guided_sampler_calls_the_field_as_often_as_it_says(sampler: Euler | Heun | RungeKutta4) -> None:
    field = Field()
    velocity = guided(field, torch.ones(4, 1, 2).double(), torch.zeros(1, 2).double(), 2.0)
    sampler(velocity, points(4))
    assert len(field.sizes) == sampler.calls
