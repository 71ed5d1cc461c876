"""What is measured: the columns of a table, with what they are called and which values are better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wav2patch.metrics.panel import PANEL
from wav2patch.parameters import Categorical, Discrete, ParameterSpace

Group = Literal["sound", "parameters"]


@dataclass(frozen=True)
class Column:
    """One metric of a table.

    Attributes:
        name: In files.
        label: What a table calls it.
        group: The table it stands in.
        unit: Of the values; empty for a pure number.
        better: Which values are better.
        signed: Whether the sign of a row's value tells a direction; a table then has the mean size.
    """

    name: str
    label: str
    group: Group
    unit: str = ""
    better: Literal["lower", "higher"] = "lower"
    signed: bool = False

    @property
    def heading(self) -> str:
        """Label, unit, and an arrow to where values are better."""
        label = f"|{self.label}|" if self.signed else self.label
        return f"{label}{f' ({self.unit})' if self.unit else ''} {'↓' if self.better == 'lower' else '↑'}"


DISTANCE = Column("distance", "Distance", "sound", "dB")
"""The search objective: what a matcher makes smaller, and the best of several proposals is chosen by."""

SIGNAL_LSD = Column("signal_lsd", "LSD", "sound", "dB")
"""Log-spectral distance of whole signals, as the papers measure the research synths by."""

PANEL_COLUMNS = (
    DISTANCE,
    *(Column(one.name, one.name, "sound", one.unit, one.better, one.signed) for one in PANEL),
)
"""The panel of ``wav2patch compare``."""


def parameter_columns(space: ParameterSpace, *, blocks: bool) -> tuple[Column, ...]:
    """The metrics of patches that say something in a space.

    Args:
        space: The parameters.
        blocks: Whether it has blocks that are interchangeable in every patch.
    """
    some = {
        Categorical: any(isinstance(one, Categorical) for one in space.parameters),
        Discrete: any(isinstance(one, Discrete) for one in space.parameters),
    }
    found = []
    for prefix, told in (("", ""), ("audible_", "audible ")) if space.activities else (("", ""),):
        found += [_parameter(f"{prefix}mse", f"{told}MSE"), _parameter(f"{prefix}mae", f"{told}MAE")]
        if blocks and not prefix:
            found += [_parameter("chamfer", "Chamfer"), _parameter("assignment", "LAC")]
        if some[Categorical]:
            found.append(_parameter(f"{prefix}choices", f"{told}choices right", "higher"))
        if some[Discrete]:
            found.append(_parameter(f"{prefix}steps_exact", f"{told}steps right", "higher"))
            found.append(_parameter(f"{prefix}steps_near", f"{told}steps ±1", "higher"))
    return tuple(found)


def _parameter(name: str, label: str, better: Literal["lower", "higher"] = "lower") -> Column:
    return Column(name, label, "parameters", better=better)
