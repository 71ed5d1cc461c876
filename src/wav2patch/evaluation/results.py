"""What an evaluation found: every value of every row, and the figures that are made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.evaluation.columns import Column, Group
from wav2patch.evaluation.intervals import Estimate, bootstrap_estimate, mean_estimate
from wav2patch.notes import Note
from wav2patch.parameters import Categorical, Discrete, ParameterSpace, Patch


@dataclass(frozen=True, eq=False)
class MethodResults:
    """What one method reached, in the order of the rows.

    Attributes:
        patches: Those that were kept, ``(rows, P)``.
        notes: What they play where the method said so; None for the row's own note.
        values: By the names of columns, ``(rows,)`` each; NaN where a metric does not apply or nothing was rendered.
        by_parameter: ``(rows, P)``; see `ParameterScorer.by_parameter`.
        failures: Why a row has no sound, by its number.
        tried: Proposals in all.
        broken: Those of them that could not be rendered.
    """

    patches: Patch
    notes: tuple[Note | None, ...]
    values: Mapping[str, NDArray[np.float64]]
    by_parameter: NDArray[np.float64]
    failures: Mapping[int, str]
    tried: int
    broken: int

    def sizes(self, column: Column) -> NDArray[np.float64]:
        """Values of a column, those of signed ones without their sign."""
        values = self.values[column.name]
        return np.abs(values) if column.signed else values


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Methods on the same rows.

    Attributes:
        data: Where the rows come from.
        synth: Name of the synth.
        space: Its parameters.
        seed: Of all that was left to chance.
        best_of: Proposals for each row, the best of which counts.
        chosen_by: What the best was chosen by.
        columns: What was measured.
        indices: Of the rows in their data set, ``(rows,)``.
        truth: Their patches, ``(rows, P)``.
        methods: In the order in which they are shown.
        noise_floor: Distance of two renders of one patch, as the synth says; 0 for a deterministic engine.
    """

    data: str
    synth: str
    space: ParameterSpace
    seed: int
    best_of: int
    chosen_by: Column
    columns: tuple[Column, ...]
    indices: NDArray[np.int64]
    truth: Patch
    methods: Mapping[str, MethodResults]
    noise_floor: float

    def __len__(self) -> int:
        return len(self.indices)

    def shown(self, group: Group) -> tuple[Column, ...]:
        """Columns of a group."""
        return tuple(column for column in self.columns if column.group == group)

    def mean(self, method: str, column: Column) -> Estimate:
        """Mean over the rows with its 95% interval, of signed columns of the sizes."""
        return mean_estimate(self.methods[method].sizes(column))

    def median(self, method: str, column: Column) -> Estimate:
        """Median over the rows with its 95% bootstrap interval."""
        place = list(self.methods).index(method) * len(self.columns) + self.columns.index(column)
        return bootstrap_estimate(self.methods[method].sizes(column), _median, self.seed, place)

    def parameters(self) -> Iterator[dict[str, Any]]:
        """For each method and parameter, its error or accuracy, over all rows and over those where it can be heard."""
        heard = self.space.active(self.truth)
        for name, one in self.methods.items():
            for place, parameter in enumerate(self.space.parameters):
                values, audible = one.by_parameter[:, place], heard[:, place]
                yield {
                    "method": name,
                    "parameter": parameter.name,
                    "measure": "accuracy" if isinstance(parameter, Categorical) else "absolute error",
                    "kind": kind_of(parameter),
                    **_told("mean", mean_estimate(values)),
                    **_told("audible", mean_estimate(values[audible])),
                }

    @cached_property
    def summary(self) -> dict[str, Any]:
        """All figures as values that JSON holds, without those of single rows."""
        return {
            "data": self.data,
            "synth": self.synth,
            "space": self.space.digest,
            "rows": len(self),
            "seed": self.seed,
            "best_of": self.best_of,
            "chosen_by": self.chosen_by.name,
            "noise_floor": self.noise_floor,
            "methods": {name: self._method(name) for name in self.methods},
        }

    def items(self) -> list[dict[str, Any]]:
        """Every value of every row, by the rows' numbers: all that the figures are made of."""
        return [
            {
                "row": row,
                "index": int(self.indices[row]),
                "methods": {name: self._item(one, row) for name, one in self.methods.items()},
            }
            for row in range(len(self))
        ]

    def _method(self, name: str) -> dict[str, Any]:
        one = self.methods[name]
        return {
            "failed": len(one.failures),
            "proposals": one.tried,
            "proposals_failed": one.broken,
            "metrics": {
                column.name: _told("mean", self.mean(name, column)) | _told("median", self.median(name, column))
                for column in self.columns
            },
        }

    def _item(self, one: MethodResults, row: int) -> dict[str, Any]:
        values = {column.name: _plain(float(one.values[column.name][row])) for column in self.columns}
        return values | ({"failure": one.failures[row]} if row in one.failures else {})


def kind_of(parameter: object) -> str:
    """``"continuous"``, ``"discrete"`` or ``"categorical"``."""
    if isinstance(parameter, Categorical):
        return "categorical"
    return "discrete" if isinstance(parameter, Discrete) else "continuous"


def _median(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.median(values, axis=-1)


def _told(name: str, estimate: Estimate) -> dict[str, Any]:
    return {
        name: _plain(estimate.value),
        f"{name}_low": _plain(estimate.low),
        f"{name}_high": _plain(estimate.high),
        f"{name}_rows": estimate.count,
    }


def _plain(value: float) -> float | None:
    """JSON has no NaN."""
    return value if np.isfinite(value) else None
