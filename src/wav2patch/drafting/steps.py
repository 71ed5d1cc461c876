"""Finding the steps of a control by listening, where its texts tell nothing.

Many plug-ins show a plain number from 0 to 1 for a switch. Such a control's sound stays the same over a stretch of
its range and then jumps; where it jumps is closed in by halving.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from wav2patch.drafting.audible import Base, Found
from wav2patch.drafting.bench import Bench, changed
from wav2patch.drafting.hearing import Heard, apart

FINEST = 64
"""Steps are told apart that are wider than the range divided by this."""

_COARSE = 8
_CLOSE = (21, 45)

_STAGE = "finding switches"


class _Line:
    """What is known along one control's range: renders at some of the positions 0 to `FINEST`."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.heard: dict[int, Heard | None] = {}
        self.given_up = False

    @property
    def base(self) -> Base:
        return self.found.base

    def alike(self, one: int, other: int) -> bool:
        first, second = self.heard[one], self.heard[other]
        return first is not None and second is not None and apart(first, second) <= self.base.alike

    def neighbours(self) -> list[tuple[int, int]]:
        known = sorted(self.heard)
        return list(pairwise(known))

    def jumps(self) -> list[tuple[int, int]]:
        return [(a, b) for a, b in self.neighbours() if not self.alike(a, b)]

    def moves_everywhere(self) -> bool:
        """Whether the slightest turns are heard, as they are of no control with steps."""
        return not any(self.alike(at, at + 1) for at in _CLOSE)

    def plateaus(self) -> list[list[int]]:
        groups: list[list[int]] = [[0]]
        for a, b in self.neighbours():
            if self.alike(a, b):
                groups[-1].append(b)
            else:
                groups.append([b])
        return groups


def find_steps(place: Bench, found: Sequence[Found]) -> dict[int, list[tuple[float, float]]]:
    """The stretches that sound alike of those parameters that have steps, by their place in the space.

    Args:
        place: Where to listen.
        found: Continuous parameters of the whole range 0 to 1, each where it is heard.
    """
    lines = [_Line(item) for item in found]
    _listen(place, [(line, position) for line in lines for at in _CLOSE for position in (at, at + 1)], 0.0, 0.3)
    lines = [line for line in lines if not line.moves_everywhere()]
    coarse = range(0, FINEST + 1, FINEST // _COARSE)
    _listen(place, [(line, position) for line in lines for position in coarse], 0.3, 0.7)
    lines = [line for line in lines if line.jumps()]
    for part in (0.8, 0.9, 0.95, 1.0):
        wanted = [(line, (a + b) // 2) for line in lines for a, b in line.jumps() if b - a > 1]
        _listen(place, wanted, part - 0.05, part)
        lines = [line for line in lines if len(line.jumps()) <= FINEST // 3]
    return {line.found.place: steps for line in lines if (steps := _steps(line))}


def _listen(place: Bench, wanted: Sequence[tuple[_Line, int]], start: float, end: float) -> None:
    patches = [changed(line.base.patch, line.found.place, at / FINEST) for line, at in wanted]
    for (line, at), heard in zip(wanted, place.hear(patches, _STAGE, start, end), strict=True):
        line.heard[at] = heard


def _steps(line: _Line) -> list[tuple[float, float]]:
    """The first and the last position of each plateau; empty where these are no steps."""
    groups = line.plateaus()
    closed = all(b - a == 1 for a, b in line.jumps())
    flat = all(line.alike(group[0], group[-1]) for group in groups)
    if len(line.base.renders) > 1 and len(groups) > 2:
        # Chance puts neighbours on either side of what is heard; more than one jump is not to be believed.
        return []
    # One position alone is a step at an end of the range only: switches that are on above 0, counts that end at 1.
    lone = [group[0] for group in groups if len(group) < 2 and group[0] not in (0, FINEST)]
    if not closed or not flat or len(groups) < 2 or lone:
        return []
    return [(group[0] / FINEST, group[-1] / FINEST) for group in groups]
