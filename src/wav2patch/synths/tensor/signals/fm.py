"""FM in three algorithms (repository ben-hayes/synth-permutations of Hayes et al., ISMIR 2025; not in the paper).

Two things in the original look unintended, and `corrected` puts them right:

* Modulation amplitudes are doubled *before* the map ``(a + 1) / 2``, so indices run from −0.5 to 1.5, not 0 to 2.
* The bands of the symmetry-broken variants are shifted as if frequencies reached π radians a sample, when they reach
  π/4: the bands leave gaps and lie above what the symmetric variant can play.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from wav2patch.synths.tensor.signals.phase import RATE, audible, turns, unit

TOP = math.pi / 4.0
"""Highest frequency, in radians a sample at 44.1 kHz."""

Players = Callable[[Tensor, Tensor, int, int], Tensor]


def fm(
    parameters: Tensor,
    length: int,
    *,
    algorithm: str,
    symmetric: bool = True,
    corrected: bool = False,
    sample_rate: float = RATE,
    start: int = 0,
) -> Tensor:
    """Render FM.

    Frequency f gives ``π/4 (f + 1) / 2`` radians a sample at 44.1 kHz; a carrier's amplitude a gives ``(a + 1) / 2``,
    a modulator's index a gives ``(2a + 1) / 2``, or ``a + 1`` if `corrected`. Modulators shift the carrier's phase.

    Args:
        parameters: ``(batch, 2n)``: n frequencies, then n amplitudes, in [-1, 1], of the operators in the order

            * ``conditional`` (M1→C1)+C2: M1, C2, C1;
            * ``mixed`` (M1→C1)+(M2→C2): M1, M2, C1, C2;
            * ``hierarchical`` ((M1+M2)→C1)+((M3+M4)→C2): M1, M2, M3, M4, C1, C2.
        length: Number of samples.
        algorithm: One of the three.
        symmetric: Whether operators share one band; see the module on the bands otherwise.
        corrected: Do as seems intended instead of as the original does.
        sample_rate: In Hz; an operator above half of it is silent.
        start: Number of the first sample, to render in pieces.

    Returns:
        ``(batch, length)``, within ±2.

    Raises:
        ValueError: There is no such algorithm, or the number of parameters is not the algorithm's.
    """
    play, modulators, groups = _algorithm(algorithm)
    frequencies, amplitudes = parameters.chunk(2, dim=-1)
    if frequencies.shape[-1] != sum(groups):
        raise ValueError(f"{algorithm} FM has {2 * sum(groups)} parameters, not {parameters.shape[-1]}")
    radians = TOP * unit(frequencies)
    if not symmetric:
        radians = _parted(radians, groups, TOP if corrected else math.pi)
    cycles = radians * (RATE / sample_rate / (2.0 * math.pi))
    indices = amplitudes[..., :modulators]
    indices = indices + 1.0 if corrected else unit(2.0 * indices)
    levels = audible(cycles, torch.cat([indices, unit(amplitudes[..., modulators:])], dim=-1))
    return play(cycles, levels, length, start)


def _algorithm(name: str) -> tuple[Players, int, tuple[int, ...]]:
    """What plays it, its number of modulators, and the sizes of the groups that share bands when symmetry is broken."""
    algorithms: dict[str, tuple[Players, int, tuple[int, ...]]] = {
        "conditional": (_conditional, 1, (2, 1)),
        "mixed": (_mixed, 2, (2, 2)),
        "hierarchical": (_hierarchical, 4, (4, 2)),
    }
    if name not in algorithms:
        raise ValueError(f"there is no FM algorithm {name!r}: choose from {', '.join(algorithms)}")
    return algorithms[name]


def _parted(radians: Tensor, groups: tuple[int, ...], span: float) -> Tensor:
    """Frequencies of each group of n divided by n, the i-th of them raised by i / n of `span`."""
    shift = torch.cat([torch.arange(n, dtype=radians.dtype, device=radians.device) * (span / n) for n in groups])
    share = torch.cat([torch.full_like(shift[:n], 1.0 / n) for n in groups])
    return shift + share * radians


def _operators(cycles: Tensor, levels: Tensor, length: int, start: int, modulation: Tensor | float = 0.0) -> Tensor:
    """``(batch, operators, length)``."""
    return levels.unsqueeze(-1) * torch.sin(2.0 * math.pi * turns(cycles, length, start) + modulation)


def _conditional(cycles: Tensor, levels: Tensor, length: int, start: int) -> Tensor:
    first = _operators(cycles[..., :2], levels[..., :2], length, start)
    carrier = _operators(cycles[..., 2:], levels[..., 2:], length, start, first[..., :1, :])
    return carrier[..., 0, :] + first[..., 1, :]


def _mixed(cycles: Tensor, levels: Tensor, length: int, start: int) -> Tensor:
    modulation = _operators(cycles[..., :2], levels[..., :2], length, start)
    return _operators(cycles[..., 2:], levels[..., 2:], length, start, modulation).sum(dim=-2)


def _hierarchical(cycles: Tensor, levels: Tensor, length: int, start: int) -> Tensor:
    modulators = _operators(cycles[..., :4], levels[..., :4], length, start)
    modulation = modulators.unflatten(-2, (2, 2)).sum(dim=-2)
    return _operators(cycles[..., 4:], levels[..., 4:], length, start, modulation).sum(dim=-2)
