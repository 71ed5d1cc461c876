"""The shapes of LFOs: our own, as Vital draws them, and the nearest of them to any other.

A shape is a line through points (time 0 to 1, depth 0 to 1, where depth 0 is the top), bent by a power in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LINES: MappingProxyType[str, tuple[tuple[float, float], ...]] = MappingProxyType(
    {
        "triangle": ((0.0, 1.0), (0.5, 0.0), (1.0, 1.0)),
        "sine": ((0.0, 1.0), (0.5, 0.0), (1.0, 1.0)),
        "saw up": ((0.0, 1.0), (1.0, 0.0), (1.0, 1.0)),
        "saw down": ((0.0, 0.0), (1.0, 1.0), (1.0, 0.0)),
        "square": ((0.0, 1.0), (0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (1.0, 1.0)),
        "pulse": ((0.0, 1.0), (0.0, 0.0), (0.25, 0.0), (0.25, 1.0), (1.0, 1.0)),
    }
)
SHAPES = tuple(_LINES)
"""Names of our shapes."""

_RESOLUTION = 256
_SMOOTH = ("sine",)


def shape_json(shape: str) -> dict[str, Any]:
    """One of `SHAPES` as an entry of a preset's ``lfos``."""
    points = _LINES[shape]
    return {
        "name": shape.title(),
        "num_points": len(points),
        "points": [number for point in points for number in point],
        "powers": [0.0] * len(points),
        "smooth": shape in _SMOOTH,
    }


def nearest_shape(line: Mapping[str, Any]) -> tuple[str, bool]:
    """Which of `SHAPES` comes closest to an entry of a preset's ``lfos``, and whether it is that very shape."""
    drawn = _curve(line)
    distances = [float(np.mean(np.abs(drawn - _curve(shape_json(shape))))) for shape in SHAPES]
    best = int(np.argmin(distances))
    return SHAPES[best], distances[best] < 0.01


def _curve(line: Mapping[str, Any]) -> NDArray[np.float64]:
    """The line's height ``(256,)``, 0 to 1."""
    points = np.asarray(line["points"], dtype=np.float64).reshape(-1, 2)[: int(line["num_points"])]
    powers: Sequence[float] = list(line["powers"])
    time = (np.arange(_RESOLUTION) + 0.5) / _RESOLUTION
    place = np.clip(np.searchsorted(points[:, 0], time, side="right") - 1, 0, len(points) - 2)
    start, end = points[place], points[place + 1]
    way = np.clip((time - start[:, 0]) / np.maximum(end[:, 0] - start[:, 0], 1e-9), 0.0, 1.0)
    if line.get("smooth"):
        way = 0.5 - 0.5 * np.cos(np.pi * way)
    way = _bent(way, np.array([powers[i] for i in place]))
    return 1.0 - (start[:, 1] + way * (end[:, 1] - start[:, 1]))


def _bent(way: NDArray[np.float64], power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vital's bend of a straight way from 0 to 1: ``(exp(power way) - 1) / (exp(power) - 1)``."""
    straight = np.abs(power) < 0.01
    safe = np.where(straight, 1.0, power)
    return np.where(straight, way, np.expm1(safe * way) / np.expm1(safe))
