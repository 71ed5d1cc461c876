"""What the columns of an encoding are: all that a model knows of a parameter space.

Models work on encodings moved from [0, 1] to [−1, 1], float32 ``(n, D)``. One-hots become ±1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from wav2patch.parameters import Categorical, Discrete, Parameter, ParameterSpace

Kind = Literal["continuous", "discrete", "categorical"]

NOTE_NAMES = ("note pitch", "note start", "note end")
"""The three columns that follow a patch's where a model predicts the note as well; see `PaperNotes.encode`."""


@dataclass(frozen=True)
class Layout:
    """Columns of an encoding, parameter by parameter.

    Attributes:
        names: Of the parameters.
        kinds: Of the parameters.
        sizes: Values on the grid of a discrete parameter, choices of a categorical one, 0 for a continuous one.
        symmetries: Permutations of the D columns that leave the sound unchanged, whatever the patch: the permuted
            vector has ``x[symmetry[i]]`` at i.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    sizes: tuple[int, ...]
    symmetries: tuple[tuple[int, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Columns of each parameter."""
        return tuple(size if kind == "categorical" else 1 for kind, size in zip(self.kinds, self.sizes, strict=True))

    @cached_property
    def width(self) -> int:
        """Columns in all, D."""
        return sum(self.widths)

    @cached_property
    def columns(self) -> tuple[slice, ...]:
        """Where each parameter lies."""
        ends = np.cumsum(self.widths)
        return tuple(slice(int(end) - width, int(end)) for end, width in zip(ends, self.widths, strict=True))

    def of_kind(self, kind: Kind) -> tuple[int, ...]:
        """Numbers of the parameters of a kind."""
        return tuple(i for i, one in enumerate(self.kinds) if one == kind)


def space_layout(space: ParameterSpace, *, pitches: int = 0) -> Layout:
    """The layout of a space's encodings.

    Args:
        space: Whose symmetries count where they hold for every patch; those with conditions do not.
        pitches: Keys among which a note's is to be found, if pitch, start and end of the note follow; else 0.
    """
    kinds: list[Kind] = [_kind(one) for one in space.parameters]
    sizes = [_size(one) for one in space.parameters]
    symmetries = [_column_order(space, one.targets, one.sources) for one in space.symmetries if not one.when]
    if not pitches:
        return Layout(space.names, tuple(kinds), tuple(sizes), tuple(map(tuple, symmetries)))
    note = range(space.width, space.width + len(NOTE_NAMES))
    return Layout(
        (*space.names, *NOTE_NAMES),
        (*kinds, "discrete", "continuous", "continuous"),
        (*sizes, pitches, 0, 0),
        tuple((*order, *note) for order in symmetries),
    )


def _kind(parameter: Parameter) -> Kind:
    if isinstance(parameter, Categorical):
        return "categorical"
    return "discrete" if isinstance(parameter, Discrete) else "continuous"


def _size(parameter: Parameter) -> int:
    if isinstance(parameter, Categorical):
        return len(parameter.choices)
    return parameter.high - parameter.low + 1 if isinstance(parameter, Discrete) else 0


def _column_order(space: ParameterSpace, targets: tuple[str, ...], sources: tuple[str, ...]) -> list[int]:
    order = np.arange(space.width)
    for target, source in zip(targets, sources, strict=True):
        place, origin = space.columns[space.index(target)], space.columns[space.index(source)]
        order[place] = np.arange(origin.start, origin.stop)
    return order.tolist()
