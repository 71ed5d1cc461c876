"""Parameter spaces: what a synth's controls are, and how a patch becomes a vector and comes back.

A **patch** is a float64 array of shape ``(P,)``: one value for every parameter, in the synth's own units. Many
patches are ``(n, P)``. Categorical values are the index of the choice. An **encoding** is float32 ``(D,)`` in
[0, 1]: one number for a continuous or discrete parameter, one for each choice of a categorical one (a one-hot).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wav2patch.errors import UserError
from wav2patch.structure import Activity, Block, Rules, Symmetry, mentioned

Patch = NDArray[np.float64]
Encoding = NDArray[np.float32]

STEPS = 2**20
"""Steps in the range of a continuous parameter: finer than any synth's own, and exact in an encoding's float32."""


@dataclass(frozen=True)
class Continuous:
    """A control that takes every value from `low` to `high`, in the synth's own `unit`."""

    name: str
    low: float = 0.0
    high: float = 1.0
    default: float = 0.0
    unit: str = ""
    label: str = ""

    @property
    def width(self) -> int:
        """Numbers that the encoding uses for this parameter."""
        return 1

    def text(self, value: float) -> str:
        """What the synth's panel would show."""
        return f"{value:.4g}{' ' * bool(self.unit)}{self.unit}"


@dataclass(frozen=True)
class Discrete:
    """A control on the integers from `low` to `high`, whose order means something.

    `offset` is added to the value when it is shown: a DX7 detune of 0…14 reads −7…+7 on the panel.
    """

    name: str
    low: int
    high: int
    default: int = 0
    unit: str = ""
    label: str = ""
    offset: int = 0

    @property
    def width(self) -> int:
        """Numbers that the encoding uses for this parameter."""
        return 1

    def text(self, value: float) -> str:
        """What the synth's panel would show."""
        shown = round(value) + self.offset
        number = f"{shown:+d}" if self.offset and self.low + self.offset < 0 and shown else f"{shown:d}"
        return f"{number}{' ' * bool(self.unit)}{self.unit}"


@dataclass(frozen=True)
class Categorical:
    """A control that selects one of `choices`, whose order means nothing. A value is the index of a choice."""

    name: str
    choices: tuple[str, ...]
    default: int = 0
    label: str = ""

    @property
    def low(self) -> int:
        """The first index."""
        return 0

    @property
    def high(self) -> int:
        """The last index."""
        return len(self.choices) - 1

    @property
    def width(self) -> int:
        """Numbers that the encoding uses for this parameter."""
        return len(self.choices)

    def text(self, value: float) -> str:
        """What the synth's panel would show."""
        return self.choices[round(value)]


Parameter = Continuous | Discrete | Categorical


@dataclass(frozen=True)
class ParameterSpace:
    """The ordered parameters of one synth, with their encoding, structure, activity and symmetries.

    Raises:
        ValueError: Two parameters share a name, or a block, activity or symmetry names a parameter unknown here.
    """

    parameters: tuple[Parameter, ...]
    blocks: tuple[Block, ...] = ()
    activities: tuple[Activity, ...] = ()
    symmetries: tuple[Symmetry, ...] = ()

    def __post_init__(self) -> None:
        if len(self._index) != len(self.parameters):
            raise ValueError("two parameters share a name")
        known = {name for block in self.blocks for name in block.parameters}
        for activity in self.activities:
            known |= set(activity.parameters)
            known |= {name for clause in activity.alternatives for name in mentioned(clause)}
        for symmetry in self.symmetries:
            known |= {*symmetry.targets, *symmetry.sources, *mentioned(symmetry.when)}
        if unknown := known - self._index.keys():
            raise ValueError(f"unknown parameters: {', '.join(sorted(unknown))}")

    def __len__(self) -> int:
        return len(self.parameters)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {parameter.name: i for i, parameter in enumerate(self.parameters)}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(parameter.name for parameter in self.parameters)

    @cached_property
    def low(self) -> Patch:
        """Lowest value of every parameter, ``(P,)``."""
        return np.array([parameter.low for parameter in self.parameters], dtype=np.float64)

    @cached_property
    def high(self) -> Patch:
        """Highest value of every parameter, ``(P,)``."""
        return np.array([parameter.high for parameter in self.parameters], dtype=np.float64)

    @cached_property
    def default(self) -> Patch:
        """The synth's initial patch, ``(P,)``."""
        return np.array([parameter.default for parameter in self.parameters], dtype=np.float64)

    @cached_property
    def is_categorical(self) -> NDArray[np.bool_]:
        """Which parameters are categorical, ``(P,)``."""
        return np.array([isinstance(parameter, Categorical) for parameter in self.parameters])

    @cached_property
    def is_continuous(self) -> NDArray[np.bool_]:
        """Which parameters are continuous, ``(P,)``."""
        return np.array([isinstance(parameter, Continuous) for parameter in self.parameters])

    @cached_property
    def width(self) -> int:
        """Length D of an encoding."""
        return sum(parameter.width for parameter in self.parameters)

    @cached_property
    def columns(self) -> tuple[slice, ...]:
        """For every parameter, its place in an encoding."""
        ends = np.cumsum([parameter.width for parameter in self.parameters])
        widths = [parameter.width for parameter in self.parameters]
        return tuple(slice(int(end - width), int(end)) for end, width in zip(ends, widths, strict=True))

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that change whenever the meaning of an encoding does."""
        content = json.dumps([[type(p).__name__, asdict(p)] for p in self.parameters], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @cached_property
    def _activity_rules(self) -> tuple[Rules, NDArray[np.int16]]:
        silenced = np.zeros((len(self.activities), len(self)), dtype=np.int16)
        for row, activity in zip(silenced, self.activities, strict=True):
            row[self.indices(activity.parameters)] = 1
        return Rules([activity.alternatives for activity in self.activities], self.index, self.low), silenced

    def index(self, name: str) -> int:
        """Place of a parameter in a patch.

        Raises:
            UserError: No parameter has this name.
        """
        if name not in self._index:
            raise UserError(f"there is no parameter called {name!r}.")
        return self._index[name]

    def indices(self, names: Sequence[str]) -> NDArray[np.intp]:
        """Places of several parameters in a patch."""
        return np.array([self.index(name) for name in names], dtype=np.intp)

    def encode(self, patches: ArrayLike) -> Encoding:
        """Encode patches ``(…, P)`` as float32 ``(…, D)`` in [0, 1].

        Raises:
            UserError: A value is out of its parameter's range.
        """
        values = np.asarray(patches, dtype=np.float64)
        self.validate(values)
        encoded = np.zeros((*values.shape[:-1], self.width), dtype=np.float32)
        scalar = ~self.is_categorical
        starts = np.array([column.start for column in self.columns])
        encoded[..., starts[scalar]] = self._place(values)[..., scalar]
        chosen = starts[~scalar] + np.rint(values[..., ~scalar]).astype(np.intp)
        np.put_along_axis(encoded, chosen, 1.0, axis=-1)
        return encoded

    def decode(self, encodings: ArrayLike) -> Patch:
        """Decode ``(…, D)`` to patches ``(…, P)``; any finite numbers give a valid patch.

        Discrete values are rounded to the nearest step, never truncated, and a categorical takes the largest of
        its raw numbers: clipping first would make overshooting choices tie and the first one win.

        Raises:
            ValueError: The last axis is not `width` long, or a number is not finite.
        """
        encoded = np.asarray(encodings, dtype=np.float64)
        if encoded.shape[-1] != self.width:
            raise ValueError(f"an encoding of this space has {self.width} numbers, not {encoded.shape[-1]}")
        if not np.isfinite(encoded).all():
            raise ValueError("an encoding holds only finite numbers")
        patches = np.empty((*encoded.shape[:-1], len(self)))
        for i, (parameter, column) in enumerate(zip(self.parameters, self.columns, strict=True)):
            if isinstance(parameter, Categorical):
                patches[..., i] = encoded[..., column].argmax(axis=-1)
            else:
                patches[..., i] = parameter.low + encoded[..., column.start] * (parameter.high - parameter.low)
        return self.snap(patches)

    def snap(self, patches: ArrayLike) -> Patch:
        """The nearest patches that an encoding can hold exactly.

        Values are clipped into range, then rounded: discrete and categorical ones to whole numbers, continuous
        ones to the nearest of `STEPS` equal steps of their range.
        """
        values = np.clip(np.asarray(patches, dtype=np.float64), self.low, self.high)
        places = self._place(values)
        # Rounding may leave the last step a hair below the range's end.
        fine = np.where(places >= 1, self.high, self.low + places * (self.high - self.low))
        return np.where(self.is_continuous, fine, np.floor(values + 0.5))

    def _place(self, values: Patch) -> Patch:
        """Where in their ranges values lie, 0 to 1, continuous ones on the grid of `STEPS`."""
        places = (values - self.low) / np.maximum(self.high - self.low, 1e-300)
        return np.where(self.is_continuous, np.rint(places * STEPS) / STEPS, places)

    def validate(self, patches: ArrayLike) -> None:
        """Refuse patches that the synth could not be set to.

        Raises:
            UserError: Names the first parameter whose value is out of range, not on its grid, or not a number.
            ValueError: The last axis is not P long.
        """
        values = np.asarray(patches, dtype=np.float64)
        if values.shape[-1:] != (len(self),):
            raise ValueError(f"a patch of this space has {len(self)} values; got an array of {values.shape}")
        inside = (values >= self.low) & (values <= self.high)
        valid = inside & (self.is_continuous | (values == np.floor(values)))
        if valid.all():
            return
        where = np.argwhere(~valid)[0]
        parameter, value = self.parameters[where[-1]], values[tuple(where)]
        kind = "" if isinstance(parameter, Continuous) else "a whole number "
        raise UserError(f"{parameter.name} is {kind}from {parameter.low} to {parameter.high}, not {value:g}.")

    def named(self, patch: ArrayLike) -> dict[str, float | int | str]:
        """A patch ``(P,)`` as a dictionary: numbers by name, and the choice's own text for categoricals."""
        values = np.asarray(patch, dtype=np.float64)
        self.validate(values)
        return {p.name: _plain(p, v) for p, v in zip(self.parameters, values, strict=True)}

    def from_named(self, values: Mapping[str, Any]) -> Patch:
        """A patch ``(P,)`` from `named`'s dictionary; parameters left out take their default.

        Raises:
            UserError: A name is unknown, a choice does not exist, or a value is out of range.
        """
        patch = self.default.copy()
        for name, value in values.items():
            parameter = self.parameters[self.index(name)]
            patch[self.index(name)] = _value(parameter, value)
        self.validate(patch)
        return patch

    def active(self, patches: ArrayLike) -> NDArray[np.bool_]:
        """Which parameters of ``(…, P)`` can be heard at all, by the declared activities."""
        values = np.asarray(patches, dtype=np.float64)
        rules, silenced = self._activity_rules
        return (~rules(values)).astype(np.int16) @ silenced == 0

    def permute(self, patches: ArrayLike, symmetry: Symmetry) -> Patch:
        """Apply a symmetry to those of ``(…, P)`` on which its conditions hold; the others come back as given."""
        values = np.array(patches, dtype=np.float64)
        permuted = values.copy()
        permuted[..., self.indices(symmetry.targets)] = values[..., self.indices(symmetry.sources)]
        applies = Rules([[symmetry.when]], self.index, self.low)(values)
        return np.where(applies, permuted, values)


def _plain(parameter: Parameter, value: float) -> float | int | str:
    if isinstance(parameter, Categorical):
        return parameter.choices[int(value)]
    return int(value) if isinstance(parameter, Discrete) else float(value)


def _value(parameter: Parameter, value: Any) -> float:
    if isinstance(parameter, Categorical) and isinstance(value, str):
        if value not in parameter.choices:
            raise UserError(f"{parameter.name} is one of {', '.join(parameter.choices)}, not {value!r}.")
        return float(parameter.choices.index(value))
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UserError(f"{parameter.name} takes a number, not {value!r}.") from None
