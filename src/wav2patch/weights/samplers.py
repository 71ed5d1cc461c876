"""Samplers of flows without PyTorch: the steps of `wav2patch.models.samplers`, in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Velocity = Callable[[Array, Array], Array]
"""From points ``(n, D)`` and times ``(n,)`` to velocities ``(n, D)``."""

Step = Callable[[Velocity, Array, float, float], Array]
"""From velocity, points, time and the next time to the next points."""


def sample(velocity: Velocity, start: Array, sampler: str, steps: int, *, landing: bool = False) -> Array:
    """Carry points from time 0 to time 1.

    Args:
        velocity: Of the flow.
        start: ``(n, D)``.
        sampler: ``euler``, ``heun`` or ``rk4``.
        steps: Of time.
        landing: Whether steps get shorter and the last is one of Euler's, for a flow that leads to an end point.

    Raises:
        ValueError: There is no such sampler, or no step.
    """
    if sampler not in STEPS or steps < 1:
        raise ValueError(f"samplers are {', '.join(STEPS)}, of 1 step or more, not {sampler} of {steps}")
    points = np.asarray(start, dtype=np.float32)
    for number in range(steps):
        begin, end = number / steps, (number + 1) / steps
        if landing:
            begin, end = 1.0 - (1.0 - begin) ** 2, 1.0 - (1.0 - end) ** 2
        step = _euler if landing and number == steps - 1 else STEPS[sampler]
        points = step(velocity, points, begin, end)
    return points


def guided(
    velocity_of: Callable[[Array, Array, Array], Array], condition: Array, null: Array, weight: float
) -> Velocity:
    """The velocity under classifier-free guidance (Ho and Salimans, 2022), both conditions in one call.

    Args:
        velocity_of: Of points ``(n, D)``, times ``(n,)`` and a condition ``(n, …)``.
        condition: ``(n, …)``.
        null: The condition that stands for no sound, ``(…)``.
        weight: 1 is conditional, 0 unconditional, more than 1 exaggerates the condition.
    """
    nothing = np.broadcast_to(null, condition.shape)
    if weight in (0.0, 1.0):
        only = condition if weight else np.ascontiguousarray(nothing)
        return lambda points, times: velocity_of(points, times, only)
    both = np.concatenate([condition, nothing])

    def velocity(points: Array, times: Array) -> Array:
        told, untold = np.split(velocity_of(np.tile(points, (2, 1)), np.tile(times, 2), both), 2)
        return untold + np.float32(weight) * (told - untold)

    return velocity


def _euler(velocity: Velocity, points: Array, time: float, until: float) -> Array:
    return points + np.float32(until - time) * velocity(points, _times(points, time))


def _heun(velocity: Velocity, points: Array, time: float, until: float) -> Array:
    span = np.float32(until - time)
    first = velocity(points, _times(points, time))
    second = velocity(points + span * first, _times(points, until))
    return points + span / 2 * (first + second)


def _rk4(velocity: Velocity, points: Array, time: float, until: float) -> Array:
    span, middle = np.float32(until - time), _times(points, (time + until) / 2)
    first = velocity(points, _times(points, time))
    second = velocity(points + span / 2 * first, middle)
    third = velocity(points + span / 2 * second, middle)
    fourth = velocity(points + span * third, _times(points, until))
    return points + span / 6 * (first + 2 * second + 2 * third + fourth)


def _times(points: Array, time: float) -> Array:
    return np.full(len(points), time, dtype=np.float32)


STEPS: Mapping[str, Step] = MappingProxyType({"euler": _euler, "heun": _heun, "rk4": _rk4})
