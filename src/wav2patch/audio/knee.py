"""The moment of key-up: the knee at which a held sound begins to fall much faster than before."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_POINTS = 200
_MOST_PIECES = 5
_PENALTY = 6.0  # dB² of fit error summed over points that one more piece has to save, times ln(points)
_LEAST_HOLD = 0.05
_LEAST_FALL = 12.0
_LEAST_STEEPER = 20.0
_STEEPNESS = 0.25
_RATIO = 4.0


@dataclass(frozen=True)
class _Piece:
    """A straight line over the time from `start` to `stop`, in s, dB/s and dB."""

    start: float
    stop: float
    slope: float
    offset: float

    def at(self, times: NDArray[np.floating]) -> NDArray[np.floating]:
        return self.offset + self.slope * times


def find_knee(level: NDArray[np.float64], hop: float) -> float | None:
    """Time at which a held sound is let go, by a piecewise linear fit to its level in dB.

    An exponential decay is a straight line in dB. What the sound still reaches from each time on (which
    tremolo and beating do not lower) is fitted by up to five straight pieces. The key goes up at the first
    joint where the fall becomes at least four times as fast and 20 dB/s faster, with 12 dB still to fall. A
    sound that decays freely bends the other way or not at all.

    Args:
        level: Level in dB of the sound from its onset to its end, shape (frames,).
        hop: Seconds between frames.

    Returns:
        Seconds from the first frame, or None where the sound dies away by itself or is held to the end.
    """
    ahead = np.maximum.accumulate(level[::-1])[::-1]
    if len(ahead) < 8:
        return None
    stride = -(-len(ahead) // _POINTS)
    pieces = _fit(hop * np.arange(0, len(ahead), stride, dtype=np.float64), ahead[::stride])
    steepest = max(-piece.slope for piece in pieces)
    for before, after in pairwise(pieces):
        steep = -after.slope > max(_RATIO * -before.slope, 0.0) + _LEAST_STEEPER
        if steep and -after.slope >= _STEEPNESS * steepest and after.start >= _LEAST_HOLD:
            knee = _departure(ahead, before, after, hop)
            if ahead[min(round(knee / hop), len(ahead) - 1)] - ahead[-1] >= _LEAST_FALL:
                return knee
    return None


def _departure(ahead: NDArray[np.float64], before: _Piece, after: _Piece, hop: float) -> float:
    """Seconds at which the level leaves the line of the piece before a joint for good."""
    times = np.arange(len(ahead)) * hop
    near = (times >= before.start) & (times <= after.stop)
    held = np.flatnonzero(near & (ahead >= before.at(times) - 2.0))
    return float(times[held[-1]]) if len(held) else after.start


def _fit(times: NDArray[np.float64], values: NDArray[np.float64]) -> list[_Piece]:
    """The best pieces by least squares with a penalty on their number, by dynamic programming."""
    count = len(times)
    error = _line_errors(times, values)
    best = error[0].copy()  # best[j]: error of the points 0 … j by the pieces so far
    backs: list[NDArray[np.intp]] = []
    fits = [(best[-1], backs)]
    for _ in range(1, min(_MOST_PIECES, count // 3)):
        # total[i, j]: the points before i by the pieces so far, i … j by one more
        total = np.full((count, count), np.inf)
        total[1:] = best[:-1, None] + error[1:]
        backs = [*backs, np.argmin(total, axis=0)]
        best = np.min(total, axis=0)
        fits.append((best[-1], backs))
    penalty = _PENALTY * np.log(count)
    _, backs = min(fits, key=lambda fit: fit[0] + penalty * len(fit[1]))
    return _trace(times, values, backs)


def _trace(times: NDArray[np.float64], values: NDArray[np.float64], backs: list[NDArray[np.intp]]) -> list[_Piece]:
    stop = len(times)
    pieces = []
    for back in [*reversed(backs), None]:
        start = 0 if back is None else int(back[stop - 1])
        slope, offset = np.polyfit(times[start:stop], values[start:stop], 1)
        pieces.append(_Piece(float(times[start]), float(times[stop - 1]), float(slope), float(offset)))
        stop = start
    return pieces[::-1]


def _line_errors(times: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared error of the best line through the points i … j, (points, points); ∞ for under three points."""
    count = len(times)
    sums = np.cumsum([np.ones(count), times, values, times**2, times * values, values**2], axis=1)
    before = np.concatenate([np.zeros((6, 1)), sums[:, :-1]], axis=1)
    n, t, v, tt, tv, vv = sums[:, None, :] - before[:, :, None]
    n = np.where(n < 3, np.nan, n)
    spread = tt - t * t / n
    error = (vv - v * v / n) - np.square(tv - t * v / n) / spread
    return np.where(np.isnan(error), np.inf, np.maximum(error, 0.0))
