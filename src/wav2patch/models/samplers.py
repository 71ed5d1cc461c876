"""Following a vector field from noise (t = 0) to data (t = 1) with a fixed number of steps.

Explicit Runge-Kutta methods of orders 1, 2 and 4: Hairer, Nørsett and Wanner, "Solving Ordinary Differential Equations
I", section II.1. Steps have equal length; fields may be asked at t = 1 itself. The defaults ask for 16 velocities each.

A flow that leads to an end point, (E[x₁ | xₜ] − xₜ) / (1 − t), has no velocity at t = 1, and where few values are
possible it decides among neighbours only shortly before. Such a flow is to land: the steps get shorter,
t_i = 1 − (1 − i/N)², and the last one, which a single velocity decides, ends in the end point itself, as in Karras et
al., "Elucidating the design space of diffusion-based generative models" (NeurIPS 2022), algorithm 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

Velocity = Callable[[Tensor, Tensor], Tensor]
"""From points ``(n, D)`` and times ``(n,)`` to velocities ``(n, D)``."""

Slope = Callable[[Tensor, float], Tensor]
"""From points and a place, which counts steps and may be broken, to velocities."""


@dataclass(frozen=True)
class Sampler(ABC):
    """Solves dx/dt = v(x, t) from t = 0 to 1.

    Attributes:
        steps: How many.
        stages: Velocities that a step asks for.

    Raises:
        ValueError: There is less than one step.
    """

    steps: int
    stages: ClassVar[int]

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"a sampler takes at least 1 step, not {self.steps}")

    @property
    def calls(self) -> int:
        """Velocities that are asked for in all; a landing takes `stages` − 1 fewer."""
        return self.steps * self.stages

    def __call__(self, velocity: Velocity, start: Tensor, *, landing: bool = False) -> Tensor:
        """Where the field carries points ``(n, D)``, ``(n, D)``.

        Args:
            velocity: The field.
            start: Points at t = 0.
            landing: Whether the field leads to an end point; the last step then asks for one velocity only.
        """
        x = start
        for i in range(self.steps):
            slope = self._shortened(velocity, i) if landing else self._equal(velocity)
            single = landing and i == self.steps - 1
            x = x + (slope(x, i) if single else self._change(slope, x, i)) / self.steps
        return x

    def _equal(self, velocity: Velocity) -> Slope:
        return lambda x, place: velocity(x, torch.full_like(x[:, 0], place / self.steps))

    def _shortened(self, velocity: Velocity, step: int) -> Slope:
        """The velocity by place, as if the step were as long as the others."""
        begin, end = (1.0 - (1.0 - i / self.steps) ** 2 for i in (step, step + 1))
        span = end - begin

        def slope(x: Tensor, place: float) -> Tensor:
            return velocity(x, torch.full_like(x[:, 0], begin + (place - step) * span)) * (span * self.steps)

        return slope

    @abstractmethod
    def _change(self, slope: Slope, x: Tensor, place: float) -> Tensor:
        """Mean velocity ``(n, D)`` of the step from `place`, which counts steps and may be broken."""


@dataclass(frozen=True)
class Euler(Sampler):
    """Order 1: the velocity at the start of each step."""

    steps: int = 16
    stages: ClassVar[int] = 1

    def _change(self, slope: Slope, x: Tensor, place: float) -> Tensor:
        return slope(x, place)


@dataclass(frozen=True)
class Heun(Sampler):
    """Order 2: the mean of the velocities at both ends of each step, the far end as Euler finds it."""

    steps: int = 8
    stages: ClassVar[int] = 2

    def _change(self, slope: Slope, x: Tensor, place: float) -> Tensor:
        first = slope(x, place)
        return (first + slope(x + first / self.steps, place + 1)) / 2


@dataclass(frozen=True)
class RungeKutta4(Sampler):
    """Order 4: the classical method of Kutta (1901)."""

    steps: int = 4
    stages: ClassVar[int] = 4

    def _change(self, slope: Slope, x: Tensor, place: float) -> Tensor:
        half = 0.5 / self.steps
        first = slope(x, place)
        second = slope(x + first * half, place + 0.5)
        third = slope(x + second * half, place + 0.5)
        fourth = slope(x + third / self.steps, place + 1)
        return (first + 2 * second + 2 * third + fourth) / 6


SAMPLERS: Mapping[str, type[Sampler]] = {"euler": Euler, "heun": Heun, "rk4": RungeKutta4}
"""Samplers by the names that settings use."""


def guided(
    velocity_of: Callable[[Tensor, Tensor, Tensor], Tensor], condition: Tensor, null: Tensor, weight: float
) -> Velocity:
    """A field with classifier-free guidance, v = v(null) + w (v(condition) − v(null)).

    Ho and Salimans, "Classifier-free diffusion guidance" (2022), for fields as in Zheng et al., "Guided flows for
    generative modeling and decision making" (2023). Both velocities come from one call with twice the rows; a weight of
    1 or 0 needs only one of them and costs nothing more.

    Args:
        velocity_of: From points ``(n, D)``, times ``(n,)`` and conditions ``(n, …)`` to velocities ``(n, D)``.
        condition: Of each point, ``(n, …)``.
        null: What stands for no condition; expands to the shape of `condition`.
        weight: w: 1 is conditional, 0 unconditional, more than 1 exaggerates the condition.
    """
    nothing = null.expand_as(condition)
    if weight in (0.0, 1.0):
        only = condition if weight else nothing
        return lambda x, t: velocity_of(x, t, only)
    both = torch.cat([condition, nothing])

    def velocity(x: Tensor, t: Tensor) -> Tensor:
        given, free = velocity_of(torch.cat([x, x]), torch.cat([t, t]), both).chunk(2)
        return torch.lerp(free, given, weight)

    return velocity
