"""Curves over frequency and rooms, which degraded clips and degraded features share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wav2patch.models.noise import Noise
from wav2patch.training.degrading.chances import ROOMS, Chances

ROOM_LENGTH = 0.35
"""Seconds after which no room is heard any more."""

LEAST = 20.0
"""Hz that are heard at least."""

_SEED = 20_250_611
_DULL = 4_000.0
_RUMBLE = 60.0


def gain_curve(chances: Chances, frequencies: Tensor) -> Tensor:
    """Amplitudes ``(n, bins)`` that tilt and band limits leave.

    Limits are those of Butterworth filters (12 dB an octave below, 24 above) without their phase.

    Args:
        chances: Of n sounds.
        frequencies: In Hz, ``(bins,)``.
    """
    hz = frequencies.clamp(min=LEAST)
    tilt = torch.exp(chances.tilt[:, None] * (math.log(10.0) / 20.0) * torch.log2(hz / 1_000.0))
    below = 1.0 + (chances.low[:, None] / hz).square().square()
    above = 1.0 + (hz / chances.high[:, None]).square().square().square()
    return tilt * torch.rsqrt(below * above)


def noise_curve(chances: Chances, frequencies: Tensor) -> Tensor:
    """Powers ``(n, bins)`` of the noise, up to a factor for each sound; as much at rumble as at 60 Hz."""
    hz = frequencies.clamp(min=_RUMBLE) / 1_000.0
    return torch.exp(-chances.colour[:, None] * torch.log(hz))


def dullness(frequencies: Tensor) -> Tensor:
    """Powers ``(bins,)`` that walls throw back: less of high frequencies."""
    return 1.0 / (1.0 + (frequencies / _DULL).square())


@dataclass(frozen=True, eq=False)
class Rooms:
    """Rooms: noise that begins a little after the sound and dies away exponentially, with energy 1.

    Attributes:
        delays: Seconds until the first reflection, ``(ROOMS,)``.
        decays: Seconds in which reverberation falls by 60 dB, ``(ROOMS,)``.
    """

    delays: NDArray[np.float64]
    decays: NDArray[np.float64]

    def energy(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shares ``(ROOMS, …)`` of the energy that has arrived at times (seconds)."""
        since = np.maximum(times - self.delays[:, None], 0.0)
        return 1.0 - 10.0 ** (-6.0 * since / self.decays[:, None])

    def responses(self, sample_rate: int) -> Tensor:
        """Impulse responses ``(ROOMS, samples)``."""
        samples = round(ROOM_LENGTH * sample_rate)
        times = np.arange(samples) / sample_rate
        since = times - self.delays[:, None]
        shape = np.where(since >= 0, 10.0 ** (-3.0 * since / self.decays[:, None]), 0.0)
        found = white(ROOMS, samples).numpy() * shape
        return torch.from_numpy(found / np.sqrt(np.square(found).sum(axis=1, keepdims=True))).float()


@lru_cache(maxsize=1)
def rooms() -> Rooms:
    """The same in every run, from 80 to 450 ms."""
    chosen = Noise(_SEED, 0, torch.arange(ROOMS)).uniform("room", 1).numpy()[:, 0]
    return Rooms(0.002 + 0.013 * chosen, np.geomspace(0.08, 0.45, ROOMS))


def white(rows: int, width: int) -> Tensor:
    """Gaussian noise ``(rows, width)`` of variance 1, the same in every run: each sound takes a piece of it."""
    return Noise(_SEED, 1, torch.arange(rows)).normal("white", width)


def pieces(stored: Tensor, starts: Tensor, length: int) -> Tensor:
    """Pieces ``(n, length, …)`` of what lies along the first dimension of ``(long, …)``.

    Args:
        stored: The long one.
        starts: Int64 ``(n,)``, at most its length less that of a piece.
        length: Of a piece.
    """
    shape, strides = stored.shape, stored.stride()
    overlapping = stored.as_strided((shape[0] - length + 1, length, *shape[1:]), (strides[0], *strides))
    return overlapping[starts]
