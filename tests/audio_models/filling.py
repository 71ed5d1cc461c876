"""Numbers in place of published weights: the same for our network and for the authors' own."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor


def filled(shapes: Mapping[str, Sequence[int]], variance: tuple[float, float] = (0.5, 1.5)) -> dict[str, Tensor]:
    """A state dict with these keys and shapes; every tensor is a function of its key and shape alone.

    Scaled so that signals neither vanish nor grow on the way through a deep network.

    Args:
        shapes: Shape of every key.
        variance: Range of the variances that batch normalisations think they have seen.
    """
    return {key: torch.from_numpy(_values(key, tuple(shape), variance)) for key, shape in shapes.items()}


def _values(key: str, shape: tuple[int, ...], variance: tuple[float, float]) -> np.ndarray:
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if key.endswith("running_var"):
        return rng.uniform(*variance, shape).astype(np.float32)
    normal = rng.standard_normal(shape, np.float32)
    if len(shape) >= 2:
        return normal / np.float32(np.sqrt(np.prod(shape[1:])))
    return normal * np.float32(0.1) + np.float32(1.0 if key.endswith("weight") else 0.0)


def two_sounds(samples: int, sample_rate: int) -> Tensor:
    """A rising tone that fades and white noise, float32 ``(2, samples)``."""
    time = np.arange(samples) / sample_rate
    tone = 0.5 * np.sin(2 * np.pi * 220 * time * (1 + time)) * np.exp(-3 * time)
    noise = 0.1 * np.random.default_rng([4, 1]).standard_normal(samples)
    return torch.from_numpy(np.stack([tone, noise]).astype(np.float32))
