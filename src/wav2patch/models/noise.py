"""Random numbers of a training step, each a function of (seed, epoch, row, purpose).

A step that is repeated after a resume, or whose rows are spread over other ranks, draws the same numbers: no generator
has a state that could get lost. The mixing is SplitMix64's (Steele et al., "Fast splittable pseudorandom number
generators", OOPSLA 2014), used as a hash of the position.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed number
_FIRST = -4658895280553007687  # 0xBF58476D1CE4E5B9
_SECOND = -7723592293110705685  # 0x94D049BB133111EB
_BITS = 53


Generators = torch.Generator | Sequence[torch.Generator]
"""Of proposals: one for all sounds, or one for each, so that a sound's proposals do not depend on its neighbours."""


def draw(sampler: Callable[..., Tensor], generators: Generators | None, shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Random numbers of a shape whose first dimension is that of the sounds.

    Args:
        sampler: `torch.rand` or `torch.randn`.
        generators: On the device of `like`.
        shape: ``(b, …)``.
        like: Whose device and type they have.
    """
    options = {"device": like.device, "dtype": like.dtype}
    if generators is None or isinstance(generators, torch.Generator):
        return sampler(shape, generator=generators, **options)
    return torch.stack([sampler(shape[1:], generator=one, **options) for one in generators])


@dataclass(frozen=True)
class Noise:
    """The random numbers of a batch.

    Attributes:
        seed: Of the run.
        epoch: The pass over the data; in each of them a row draws other numbers.
        rows: Numbers of the batch's rows, int64 ``(n,)``, on the device that the numbers are wanted on.
    """

    seed: int
    epoch: int
    rows: Tensor

    def uniform(self, purpose: str, width: int) -> Tensor:
        """Float64 ``(n, width)``, uniform in (0, 1); other numbers for every purpose."""
        start = _signed(zlib.crc32(purpose.encode()) + (self.seed << 32))
        key = _mixed(self.rows * _GOLDEN + _mixed(torch.tensor(start, device=self.rows.device) + self.epoch))
        steps = torch.arange(1, width + 1, device=self.rows.device) * _GOLDEN
        high = _shifted(_mixed(key[:, None] + steps), 64 - _BITS)
        return (high.double() + 0.5) * 2.0**-_BITS

    def normal(self, purpose: str, width: int) -> Tensor:
        """Float32 ``(n, width)``, standard normal (Box and Muller, 1958)."""
        half = (width + 1) // 2
        first, second = self.uniform(purpose, 2 * half).split(half, dim=1)
        radius, angle = torch.sqrt(-2.0 * torch.log(first)), 2.0 * math.pi * second
        pairs = torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)
        return pairs[:, :width].float()


def _signed(number: int) -> int:
    number &= (1 << 64) - 1
    return number - (1 << 64) if number >= 1 << 63 else number


def _shifted(numbers: Tensor, bits: int) -> Tensor:
    """Right shift of 64 bits without a sign, which PyTorch does not have on every device."""
    return (numbers >> bits) & ((1 << (64 - bits)) - 1)


def _mixed(numbers: Tensor) -> Tensor:
    numbers = (numbers ^ _shifted(numbers, 30)) * _FIRST
    numbers = (numbers ^ _shifted(numbers, 27)) * _SECOND
    return numbers ^ _shifted(numbers, 31)
