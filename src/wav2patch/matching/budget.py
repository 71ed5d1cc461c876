"""How much a search may spend, and how much of it is gone."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from wav2patch.errors import UserError

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|)")


@dataclass
class Budget:
    """A limit in renders, in seconds, or in both, whichever comes first.

    A budget of renders alone makes a search repeatable; seconds depend on the machine.

    Raises:
        ValueError: Neither limit is given, or one is not above 0.
    """

    renders: int | None = None
    seconds: float | None = None
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
            shares.append(self.spent_seconds / self.seconds)
        return min(max(shares), 1.0)

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left."""
        return self.fraction >= 1.0

    def allows(self, renders: int) -> int:
        """How many of so many renders may still be made."""
        if self.renders is not None:
            renders = min(renders, self.renders - self.spent_renders)
        # However short the time, something has to be rendered before anything can be shown.
        return 0 if self.exhausted and self.spent_renders else renders

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
