from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from wav2patch.models.samplers import SAMPLERS
from wav2patch.models.samplers import guided as torch_guided
from wav2patch.weights.samplers import STEPS, Array, guided, sample

_ROWS, _WIDTH = 5, 7


def _field(x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
    return torch.sin(x + 3.0 * t[:, None]) * torch.tanh(condition.sum(dim=1)) - x * t[:, None]


class _Counted:
    def __init__(self) -> None:
        self.rows: list[int] = []

    def __call__(self, x: Array, t: Array, condition: Array) -> Array:
        self.rows.append(len(x))
        return _field(*(torch.from_numpy(np.asarray(one)) for one in (x, t, condition))).numpy()


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("weight", [0.0, 1.0, 2.5])
def test_steps_are_those_of_the_models(name: str, steps: int, weight: float) -> None:
    generator = torch.Generator().manual_seed(3)
    start = torch.randn(_ROWS, _WIDTH, generator=generator)
    condition = torch.randn(_ROWS, 2, _WIDTH, generator=generator)
    null = torch.randn(2, _WIDTH, generator=generator)
    wanted = SAMPLERS[name](steps)(torch_guided(_field, condition, null, weight), start)
    counted = _Counted()
    found = sample(guided(counted, condition.numpy(), null.numpy(), weight), start.numpy(), name, steps)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted.numpy(), rtol=0, atol=5e-6)
    assert counted.rows == [_ROWS * (1 if weight in (0.0, 1.0) else 2)] * SAMPLERS[name](steps).calls


@pytest.mark.parametrize("name", SAMPLERS)
def test_landings_are_those_of_the_models(name: str) -> None:
    generator = torch.Generator().manual_seed(3)
    start, null = torch.randn(_ROWS, _WIDTH, generator=generator), torch.zeros(2, _WIDTH)
    condition = torch.randn(_ROWS, 2, _WIDTH, generator=generator)
    wanted = SAMPLERS[name](5)(torch_guided(_field, condition, null, 1.0), start, landing=True)
    counted = _Counted()
    velocity = guided(counted, condition.numpy(), null.numpy(), 1.0)
    found = sample(velocity, start.numpy(), name, 5, landing=True)
    np.testing.assert_allclose(found, wanted.numpy(), rtol=0, atol=5e-6)
    assert len(counted.rows) == SAMPLERS[name](5).calls - SAMPLERS[name].stages + 1


def test_there_are_as_many_samplers_here_as_there() -> None:
    assert STEPS.keys() == SAMPLERS.keys()


@pytest.mark.parametrize(("name", "steps"), [("euler", 0), ("rk5", 3)])
def test_nonsense_is_refused(name: str, steps: int) -> None:
    with pytest.raises(ValueError, match="samplers are euler, heun, rk4"):
        sample(lambda x, t: x, np.zeros((1, 1), np.float32), name, steps)
