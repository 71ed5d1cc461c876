"""The parameters of a data set as the axes of histograms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wav2patch.parameters import Categorical, Continuous, Parameter, ParameterSpace

Kind = Literal["continuous", "discrete", "categorical"]

BINS = 50
"""Bins of a continuous parameter, and of a discrete one with more than `MOST_STEPS`."""

MOST_STEPS = 128


@dataclass(frozen=True)
class ParameterAxis:
    """One parameter, and how its values are counted.

    Attributes:
        name: Of the parameter.
        kind: Discrete ones are counted by step, categorical ones by choice, continuous ones in bins of equal width.
        columns: Its place in an encoding.
        bins: How many counts there are.
        low: Its lowest value in the synth's units.
        high: Its highest value.
        unit: Of the values.
        choices: Of a categorical one.
    """

    name: str
    kind: Kind
    columns: slice
    bins: int
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    choices: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """Values of a discrete or categorical one."""
        return int(self.high - self.low) + 1

    @property
    def by_step(self) -> bool:
        """Whether every value has a count of its own."""
        return self.kind == "categorical" or (self.kind == "discrete" and self.bins == self.steps)

    def value(self, encoded: float) -> float:
        """In the synth's units, what a number of the encoding stands for."""
        return self.low + encoded * (self.high - self.low)

    def label(self, place: int) -> str:
        """What is counted in a bin."""
        if self.kind == "categorical":
            return self.choices[place]
        if self.by_step:
            return f"{self.low + place:g}"
        if self.kind == "discrete":
            first, after = (-(-edge * self.steps // self.bins) for edge in (place, place + 1))
            low, high = self.low + first, self.low + after - 1
        else:
            low, high = (self.value(edge / self.bins) for edge in (place, place + 1))
        return f"{low:.3g} to {high:.3g}{' ' * bool(self.unit)}{self.unit}"


def axes_of_space(space: ParameterSpace) -> tuple[ParameterAxis, ...]:
    """Of a synth that is known."""
    return tuple(_axis(one, columns) for one, columns in zip(space.parameters, space.columns, strict=True))


def axes_of_names(names: Sequence[str]) -> tuple[ParameterAxis, ...]:
    """From the names of an encoding's numbers alone, where the synth is not known here.

    What has no choices then counts as continuous from 0 to 1, which are the numbers that are stored.
    """
    axes: list[ParameterAxis] = []
    first = 0
    for (name, split), group in groupby(names, lambda one: (one.partition("=")[0], "=" in one)):
        for choices in [[one.partition("=")[2] for one in group]] if split else [[]] * len(list(group)):
            columns = slice(first, first + max(len(choices), 1))
            kind: Kind = "categorical" if choices else "continuous"
            axes.append(ParameterAxis(name, kind, columns, len(choices) or BINS, choices=tuple(choices)))
            first = columns.stop
    return tuple(axes)


def count_parameters(axes: Sequence[ParameterAxis], encodings: NDArray[np.float32]) -> NDArray[np.int64]:
    """Histograms of all parameters over encodings ``(n, D)``, one behind the other as `split_counts` parts them."""
    starts = _starts(axes)
    places = np.stack([_places(axis, encodings[:, axis.columns]) for axis in axes], axis=1)
    return np.bincount((places + starts[:-1]).ravel(), minlength=int(starts[-1]))


def split_counts(axes: Sequence[ParameterAxis], counts: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The histogram of each parameter."""
    return np.split(counts, _starts(axes)[1:-1])


def _axis(parameter: Parameter, columns: slice) -> ParameterAxis:
    name = parameter.name
    if isinstance(parameter, Categorical):
        return ParameterAxis(
            name, "categorical", columns, len(parameter.choices), 0, parameter.high, "", parameter.choices
        )
    if isinstance(parameter, Continuous):
        return ParameterAxis(name, "continuous", columns, BINS, parameter.low, parameter.high, parameter.unit)
    steps = parameter.high - parameter.low + 1
    bins = steps if steps <= MOST_STEPS else BINS
    return ParameterAxis(name, "discrete", columns, bins, parameter.low, parameter.high, parameter.unit)


def _starts(axes: Iterable[ParameterAxis]) -> NDArray[np.int64]:
    return np.cumsum([0, *(axis.bins for axis in axes)])


def _places(axis: ParameterAxis, encoded: NDArray[np.float32]) -> NDArray[np.intp]:
    if axis.kind == "categorical":
        return encoded.argmax(axis=1)
    share = np.clip(encoded[:, 0].astype(np.float64), 0.0, 1.0)
    if axis.kind == "discrete":
        # In whole numbers: edges between steps are not hit by rounding.
        return np.rint(share * (axis.high - axis.low)).astype(np.intp) * axis.bins // axis.steps
    return np.minimum((share * axis.bins).astype(np.intp), axis.bins - 1)
