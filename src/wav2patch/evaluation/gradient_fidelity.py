"""Whether a proxy's gradient says what the synth does: its derivatives beside differences of real renders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from wav2patch.parameters import ParameterSpace, Patch

Values = NDArray[np.float64]

_STEP = 0.05
"""Of a parameter's range, to either side; what has steps moves by whole ones, one at least."""

_SILENT = 0.02
"""Share of the median change below which a change of the sound is none."""


@dataclass(frozen=True, eq=False)
class Slopes:
    """How embeddings change where one parameter of a patch does.

    Attributes:
        patches: Encodings ``(n, D)`` in [0, 1].
        columns: Which one is moved, ``(n,)``.
        low: Embeddings of the sound with that column lower, ``(n, size)``.
        high: With it higher.
        width: How far apart the two are, ``(n,)``.
    """

    patches: Values
    columns: NDArray[np.int64]
    low: Values
    high: Values
    width: Values

    @property
    def real(self) -> Values:
        """Change by change of the column, ``(n, size)``."""
        return (self.high - self.low) / self.width[:, None]


@dataclass(frozen=True)
class Fidelity:
    """How far the two agree.

    Attributes:
        cosine: Mean cosine of the proxy's derivative and the real change, where there is one; 1 is perfect.
        length: Median ratio of their lengths there; 1 is perfect.
        sign: How often both say alike whether the embedding comes nearer to that of another patch's sound.
        silent: Median length of the proxy's derivative where nothing can be heard, as a share of its median length
            elsewhere; 0 is perfect, nan where everything can be heard.
        count: Changes that can be heard.
    """

    cosine: float
    length: float
    sign: float
    silent: float
    count: int


def measure_slopes(
    space: ParameterSpace, patches: Patch, embed: Callable[[Patch], Values], *, per_patch: int = 8, seed: int = 0
) -> Slopes:
    """Move some numbers of each patch, one at a time, and listen.

    Args:
        space: Of the patches.
        patches: ``(n, P)``.
        embed: From patches to the embeddings of their sounds, by the real synth.
        per_patch: Numbers of a patch that are moved.
        seed: Of their choice.
    """
    numbers = np.flatnonzero(~space.is_categorical)
    lows, highs, bases, columns = [], [], [], []
    for i, patch in enumerate(patches):
        chosen = np.random.default_rng([seed, i]).permutation(numbers)[:per_patch]
        for parameter in chosen:
            low, high = _moved(space, patch, int(parameter))
            lows.append(low)
            highs.append(high)
            bases.append(patch)
            columns.append(space.columns[parameter].start)
    low, high, base = (np.stack(one) for one in (lows, highs, bases))
    encoded = [np.asarray(space.encode(one), dtype=np.float64) for one in (base, low, high)]
    rows, moved = np.arange(len(base)), np.array(columns, dtype=np.int64)
    width = encoded[2][rows, moved] - encoded[1][rows, moved]
    return Slopes(encoded[0], moved, embed(low), embed(high), width)


def fidelity(slopes: Slopes, proxy: Callable[[Tensor], Tensor]) -> Fidelity:
    """Of a proxy from vectors ``(n, D)`` in [−1, 1] to embeddings ``(n, size)``, in evaluation mode."""
    points = torch.from_numpy(slopes.patches).float() * 2.0 - 1.0
    towards = torch.zeros_like(points)
    # A column of [0, 1] is half as wide as one of [−1, 1].
    towards[torch.arange(len(points)), torch.from_numpy(slopes.columns)] = 2.0
    # Of attention, only the plain form can be derived twice, which is how this is computed.
    with sdpa_kernel(SDPBackend.MATH):
        both: Any = torch.autograd.functional.jvp(proxy, points, towards)
    expected, said = (one.detach().double().numpy() for one in both)
    real = slopes.real
    length = np.linalg.norm(real, axis=1)
    heard = length > _SILENT * np.median(length[length > 0]) if (length > 0).any() else length > 0
    lengths = np.linalg.norm(said, axis=1)
    cosine = (said * real).sum(axis=1) / np.maximum(lengths * length, 1e-12)
    # Towards where another patch's sound is: the slope of half the squared distance to it.
    away = expected - np.roll(expected, len(expected) // 2, axis=0)
    alike = np.sign((away * said).sum(axis=1)) == np.sign((away * real).sum(axis=1))
    silent = float(np.median(lengths[~heard]) / np.median(lengths[heard])) if (~heard).any() and heard.any() else np.nan
    return Fidelity(
        float(cosine[heard].mean()),
        float(np.median(lengths[heard] / length[heard])),
        float(alike[heard].mean()),
        silent,
        int(heard.sum()),
    )


def _moved(space: ParameterSpace, patch: Patch, parameter: int) -> tuple[Patch, Patch]:
    """The patch with a number lower and higher; at an end of its range only one of them is moved."""
    low, high = float(space.low[parameter]), float(space.high[parameter])
    step = _STEP * (high - low)
    if not space.is_continuous[parameter]:
        step = max(1.0, round(step))
    sides = np.repeat(np.asarray(patch, dtype=np.float64)[None], 2, axis=0)
    sides[:, parameter] = np.clip([patch[parameter] - step, patch[parameter] + step], low, high)
    return sides[0], sides[1]
