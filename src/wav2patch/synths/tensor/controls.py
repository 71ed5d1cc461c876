"""Parameters whose values mean something else on a panel, and the layout that the oscillator synths share."""

from __future__ import annotations

from dataclasses import dataclass

from wav2patch.parameters import Continuous, Discrete


@dataclass(frozen=True)
class Scaled(Continuous):
    """A parameter from −1 to 1, as the papers have it, that stands for `shown_low` to `shown_high` in `unit`."""

    low: float = -1.0
    high: float = 1.0
    shown_low: float = 0.0
    shown_high: float = 1.0

    def text(self, value: float) -> str:
        """What it stands for."""
        shown = self.shown_low + (value - self.low) / (self.high - self.low) * (self.shown_high - self.shown_low)
        return f"{shown:.4g}{' ' * bool(self.unit)}{self.unit}"


@dataclass(frozen=True)
class Stepped(Discrete):
    """A parameter whose value is the number of a class, and whose classes stand for the numbers `shown`, in order."""

    shown: tuple[float, ...] = ()

    def text(self, value: float) -> str:
        """What the class stands for."""
        return f"{self.shown[round(value)]:.4g}{' ' * bool(self.unit)}{self.unit}"


def stepped(name: str, shown: tuple[float, ...], default: int = 0, *, unit: str = "", label: str = "") -> Stepped:
    """A parameter with one class for each of the numbers that are shown."""
    return Stepped(name, 0, len(shown) - 1, default, unit, label, shown=shown)


def band(number: int, count: int, low: float, high: float, *, symmetric: bool) -> tuple[float, float]:
    """What frequency `number` of `count`, from 0, reaches: all from `low` to `high`, or each its share of that."""
    if symmetric:
        return low, high
    width = (high - low) / count
    return low + number * width, low + (number + 1) * width
