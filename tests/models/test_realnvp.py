"""RealNVP: the inverse undoes, and the determinant is the Jacobian's."""

from __future__ import annotations

import pytest
import torch

from wav2patch.models.realnvp import RealNvp

torch.set_num_threads(1)

CASES = [(2, 0, 1), (3, 0, 4), (7, 0, 6), (12, 0, 16), (5, 3, 6)]
"""Width, context and layers."""


def network(width: int, context: int, layers: int, dtype: torch.dtype) -> tuple[RealNvp, torch.Tensor, torch.Tensor]:
    torch.manual_seed(width)
    flow = RealNvp(width, layers=layers, context=context, hidden=16).to(dtype)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return flow, torch.randn(9, width, dtype=dtype), torch.randn(9, context, dtype=dtype)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_the_inverse_undoes(case: tuple[int, int, int], dtype: torch.dtype, tolerance: float) -> None:
    flow, values, context = network(*case, dtype)
    told = context if case[1] else None
    moved, stretch = flow(values, told)
    back, shrink = flow.inverse(moved, told)
    # Relative to the largest value on the way: that is what rounding errors are relative to.
    scale = max(1.0, float(moved.detach().abs().max()))
    assert float((moved - values).detach().abs().max()) > 0.1
    torch.testing.assert_close(back, values, atol=tolerance * scale, rtol=0.0)
    torch.testing.assert_close(shrink, -stretch, atol=10 * tolerance * scale, rtol=0.0)


@pytest.mark.parametrize("case", CASES)
def test_the_determinant_is_that_of_the_jacobian(case: tuple[int, int, int]) -> None:
    flow, values, context = network(*case, torch.float64)
    told = context if case[1] else None
    _, stretch = flow(values, told)
    for row in range(3):
        rest = None if told is None else told[row, None]
        jacobian = torch.autograd.functional.jacobian(lambda x, rest=rest: flow(x[None], rest)[0][0], values[row])
        assert isinstance(jacobian, torch.Tensor)
        _, expected = torch.linalg.slogdet(jacobian)
        torch.testing.assert_close(stretch[row], expected, atol=1e-10, rtol=1e-10)


def test_the_context_matters() -> None:
    flow, values, context = network(5, 3, 6, torch.float32)
    assert not torch.allclose(flow(values, context)[0], flow(values, context + 1.0)[0])


@pytest.mark.parametrize("width", [2, 3, 6, 17])
def test_every_column_hears_of_every_other(width: int) -> None:
    flow, values, _ = network(width, 0, 2 * (width - 1).bit_length() + 2, torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda x: flow(x[None])[0][0], values[0])
    assert isinstance(jacobian, torch.Tensor)
    assert bool((jacobian.abs() > 1e-9).all())


def test_a_new_network_moves_little() -> None:
    torch.manual_seed(0)
    values = torch.randn(64, 10)
    moved, stretch = RealNvp(10, layers=16, hidden=32)(values)
    assert float((moved - values).detach().square().mean()) < 0.25
    assert float(stretch.detach().abs().max()) < 5.0


def test_rows_do_not_touch_each_other() -> None:
    flow, values, _ = network(7, 0, 6, torch.float64)
    torch.testing.assert_close(flow(values)[0][3:4], flow(values[3:4])[0])


def test_one_column_is_too_few() -> None:
    with pytest.raises(ValueError, match="two columns"):
        RealNvp(1)


def test_it_learns_a_density() -> None:
    torch.manual_seed(0)
    flow = RealNvp(2, layers=4, hidden=16, blocks=1)
    base = torch.randn(256, 2)
    data = torch.stack([base[:, 0], 0.3 * base[:, 1] + base[:, 0] ** 2], dim=1)
    optimizer = torch.optim.Adam(flow.parameters(), lr=5e-3)

    def surprise() -> torch.Tensor:
        latent, stretch = flow(data)
        return (0.5 * latent.square().sum(dim=1) - stretch).mean()

    before = float(surprise().detach())
    for _ in range(150):
        optimizer.zero_grad()
        surprise().backward()
        optimizer.step()
    # The banana's own entropy is log 0.3 below that of a standard normal, whose half square sum is 1 on average.
    assert float(surprise().detach()) < min(before - 0.5, 1.0 + torch.tensor(0.3).log().item() + 0.15)
