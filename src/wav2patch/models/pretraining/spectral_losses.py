"""How far a spectrogram is from the one that is wanted.

Spectrograms are of the feature `stft`: log(1 + magnitude), so that they are 0 or more and the magnitudes come back.
Where only some cells count, every mean and every norm is over these.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_QUIET = 1e-4
"""Beside a magnitude, before it is divided by or its logarithm taken."""


@dataclass(frozen=True)
class SpectralWeights:
    """How much each part counts.

    Attributes:
        l1: Mean absolute error.
        mse: Mean squared error.
        convergence: Spectral convergence of magnitudes, ‖M̂ − M‖ / ‖M‖ (Arık et al., 2018).
        log: Mean squared error of the magnitudes' logarithms.
        low: Of (x̂ − x)² / (x + 1e-4), the weights without a gradient, in all; the others count 1 − low.
    """

    l1: float = 1.0
    mse: float = 1.0
    convergence: float = 0.0
    log: float = 0.0
    low: float = 0.0

    def __post_init__(self) -> None:
        if min(vars(self).values()) < 0.0 or self.low > 1.0:
            raise ValueError("weights of losses are 0 or more, and low is at most 1")


def spectral_losses(predicted: Tensor, wanted: Tensor, counts: Tensor, weights: SpectralWeights) -> dict[str, Tensor]:
    """Losses by name, of which ``loss`` is the weighted sum; parts without a weight are left out.

    Args:
        predicted: ``(n, bands, frames)``.
        wanted: The same, 0 or more.
        counts: Boolean ``(n, bands, frames)``: which cells count.
        weights: Of the parts.
    """
    share, many = counts.to(wanted), counts.sum().clamp(min=1).to(wanted)
    error = (predicted - wanted) * share
    found: dict[str, Tensor] = {"spec_l1": error.abs().sum() / many, "spec_l2": error.square().sum() / many}
    total = weights.l1 * found["spec_l1"] + weights.mse * found["spec_l2"]
    if weights.convergence or weights.log:
        mine, theirs = torch.expm1(predicted.clamp(min=0.0)), torch.expm1(wanted.clamp(min=0.0))
        apart = ((mine - theirs) * share).square().sum(dim=(1, 2)).sqrt()
        whole = (theirs * share).square().sum(dim=(1, 2)).sqrt()
        found["spec_sc"] = (apart / (whole + _QUIET)).mean()
        logs = ((mine + _QUIET).log() - (theirs + _QUIET).log()) * share
        found["spec_log"] = logs.square().sum() / many
        total = total + weights.convergence * found["spec_sc"] + weights.log * found["spec_log"]
    if weights.low:
        found["lowmag_weighted"] = (error.square() / (wanted.clamp(min=0.0) + _QUIET)).sum() / many
        total = (1.0 - weights.low) * total + weights.low * found["lowmag_weighted"]
    return {"loss": total, **found}
