"""Paths from noise to data that a vector field learns to follow."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class RectifiedPath:
    """Straight lines at constant speed.

    With start x₀, end x₁ and σ = `sigma_min`:

        x_t = (1 − (1 − σ) t) x₀ + t x₁,    dx_t/dt = x₁ − (1 − σ) x₀.

    With σ = 0 it is the rectified flow of Liu et al., "Flow straight and fast" (ICLR 2023), as Hayes et al. (ISMIR
    2025) use it; with σ > 0 the optimal-transport path of Lipman et al., "Flow matching for generative modeling" (ICLR
    2023), eq. 20 to 23, which ends in a Gaussian of deviation σ around x₁.

    Attributes:
        sigma_min: Share of the noise that is left at t = 1, from 0 to 1.

    Raises:
        ValueError: `sigma_min` is out of range.
    """

    sigma_min: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.sigma_min < 1.0:
            raise ValueError(f"sigma_min is at least 0 and less than 1, not {self.sigma_min}")

    def __call__(self, start: Tensor, end: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Points ``(n, D)`` at times ``(n,)`` between starts and ends ``(n, D)``, and their velocities ``(n, D)``."""
        times, kept = t[:, None], 1.0 - self.sigma_min
        return (1.0 - kept * times) * start + times * end, end - kept * start
