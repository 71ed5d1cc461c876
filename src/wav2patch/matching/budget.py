"""How much a search may spend, and how much of it is gone."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass, field

from wav2patch.errors import UserError

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|)")
_RESERVE = 0.25
_FIRST = 16


@dataclass
class Budget:
    """A limit in renders, in seconds, or in both, whichever comes first.

    A budget of renders alone makes a search repeatable; seconds depend on the machine.

    Attributes:
        renders: Renders that the search may make.
        seconds: Seconds that everything may take.
        afterwards: Renders that are still wanted when the search is over, to choose and explain what it found. At
            the rate seen so far they are set aside from the seconds, a quarter of them at most.

    Raises:
        ValueError: Neither limit is given, or one is not above 0.
    """

    renders: int | None = None
    seconds: float | None = None
    afterwards: int = 0
    spent_renders: int = field(default=0, init=False)
    _start: float = field(default_factory=time.monotonic, init=False)

    def __post_init__(self) -> None:
        limits = [limit for limit in (self.renders, self.seconds) if limit is not None]
        if not limits or min(limits) <= 0:
            raise ValueError("a budget has a limit above 0, in renders or in seconds")

    @property
    def spent_seconds(self) -> float:
        """Seconds since the budget was made."""
        return time.monotonic() - self._start

    @property
    def fraction(self) -> float:
        """Share of the budget that is gone, 0 to 1."""
        shares = []
        if self.renders is not None:
            shares.append(self.spent_renders / self.renders)
        if self.seconds is not None:
            shares.append(self.spent_seconds / (self.seconds - self._set_aside(self.seconds)))
        return min(max(shares), 1.0)

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left."""
        return self.fraction >= 1.0

    def allows(self, renders: int) -> int:
        """How many of so many renders may be made now, without running far over the seconds."""
        if self.renders is not None:
            renders = min(renders, self.renders - self.spent_renders)
        if not self.spent_renders:
            # However short the time, something has to be rendered before anything can be shown.
            return renders if self.seconds is None else min(renders, _FIRST)
        if self.exhausted:
            return 0
        if self.seconds is not None:
            left = self.seconds - self._set_aside(self.seconds) - self.spent_seconds
            renders = min(renders, int(left * self.spent_renders / self.spent_seconds) + 1)
        return renders

    def affords(self, renders: int, *, most_seconds: float = math.inf) -> int:
        """How many of so many renders after the search fit into the seconds that are left, at the rate so far."""
        if self.seconds is None or not self.spent_renders:
            return renders
        left = min(max(self.seconds - self.spent_seconds, 0.0), _RESERVE * self.seconds, most_seconds)
        return min(renders, int(left * self.spent_renders / self.spent_seconds))

    def _set_aside(self, seconds: float) -> float:
        if not self.spent_renders:
            return 0.0
        return min(self.afterwards * self.spent_seconds / self.spent_renders, _RESERVE * seconds)

    def spend(self, renders: int) -> None:
        """Record renders that were made."""
        self.spent_renders += renders


def parse_duration(text: str) -> float:
    """Seconds of ``"90"``, ``"60s"``, ``"5m"`` or ``"1h"``.

    Raises:
        UserError: The text is not a duration above 0.
    """
    parsed = _DURATION.fullmatch(text.strip().lower())
    seconds = float(parsed.group(1)) * _UNITS[parsed.group(2)] if parsed else 0.0
    if seconds <= 0:
        raise UserError(f"{text!r} is not a duration: give seconds or minutes, such as 60s or 5m.")
    return seconds
