"""How the values of Vital's controls read on its panel.

Vital keeps most controls on a scale of its own, on which equal steps sound alike: an envelope's attack is the
fourth root of its seconds, a level the root of its gain, an LFO's frequency the logarithm of its hertz. Patches hold
these native values, as preset files do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from wav2patch.parameters import STEPS, Continuous

SCALES: MappingProxyType[str, Callable[[float], float]] = MappingProxyType(
    {
        "fourth power": lambda value: value**4,
        "square": lambda value: value**2,
        "power of two": lambda value: 2.0**value,
        "inverse power of two": lambda value: 2.0**-value,
        "volume": lambda value: value**0.5 - 80.0,
        "percent": lambda value: 100.0 * value,
        "cutoff": lambda value: 440.0 * 2.0 ** ((value - 69.0) / 12.0),
        "frame": lambda value: value,
    }
)
"""From a native value to the one that is shown, by the name of the scale."""

_MILLI = 0.1


@dataclass(frozen=True)
class Native(Continuous):
    """A continuous control in Vital's native units that shows its value as Vital's panel does.

    Attributes:
        scale: One of `SCALES`.
    """

    scale: str = "frame"

    def text(self, value: float) -> str:
        """What Vital's panel shows; a time below a tenth of a second in milliseconds."""
        shown, unit = SCALES[self.scale](value), self.unit
        if unit == "s" and shown < _MILLI:
            shown, unit = 1000.0 * shown, "ms"
        return f"{shown:.3g}{' ' * bool(unit)}{unit}"


def native(
    name: str, low: float, high: float, default: float, unit: str = "", label: str = "", scale: str = "frame"
) -> Native:
    """A control whose default is put on the grid of `STEPS`, so that an encoding holds it exactly."""
    place = round((default - low) / (high - low) * STEPS) / STEPS
    return Native(name, low, high, low + place * (high - low), unit, label, scale)
