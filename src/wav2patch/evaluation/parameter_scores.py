"""Proposed patches against the true ones, by the metrics of `wav2patch.metrics.parameters`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wav2patch.evaluation.columns import Column, parameter_columns
from wav2patch.metrics.parameters import (
    accuracy,
    assignment_distance,
    chamfer_distance,
    mean_absolute_error,
    mean_squared_error,
    parameter_errors,
)
from wav2patch.models.blocks import Blocks, interchangeable
from wav2patch.models.layout import space_layout
from wav2patch.parameters import Discrete, ParameterSpace, Patch

Values = dict[str, NDArray[np.float64]]


class ParameterScorer:
    """Measures patches of one space.

    What is measured is the patch that is proposed: in range, on its grid, one choice of each. Its encoding is moved to
    [−1, 1], the papers' scale.

    Args:
        space: The parameters.
    """

    def __init__(self, space: ParameterSpace) -> None:
        self.space = space
        self.groups: tuple[Blocks, ...] = interchangeable(space_layout(space))
        self.columns: tuple[Column, ...] = parameter_columns(space, blocks=bool(self.groups))
        self.widths = tuple(parameter.width for parameter in space.parameters)

    def __call__(self, truth: Patch, proposed: Patch) -> Values:
        """Every metric of `columns`, ``(n,)`` each.

        Args:
            truth: ``(n, P)``; which parameters can be heard is decided by these.
            proposed: ``(n, P)``.
        """
        true, guess = self._vectors(truth), self._vectors(proposed)
        values = self._masked(truth, proposed, true, guess, np.ones(truth.shape, dtype=np.bool_), "")
        values |= self._masked(truth, proposed, true, guess, self.space.active(truth), "audible_")
        if self.groups:
            values["chamfer"] = self._over_blocks(chamfer_distance, true, guess)
            values["assignment"] = self._over_blocks(assignment_distance, true, guess)
        return {column.name: values[column.name] for column in self.columns}

    def by_parameter(self, truth: Patch, proposed: Patch) -> NDArray[np.float64]:
        """For each parameter ``(n, P)``: whether it is right where it is categorical, else its absolute error."""
        errors = parameter_errors(self._vectors(truth), self._vectors(proposed), self.widths)
        return np.where(self.space.is_categorical, truth == proposed, errors)

    @cached_property
    def _is_discrete(self) -> NDArray[np.bool_]:
        return np.array([isinstance(parameter, Discrete) for parameter in self.space.parameters])

    def _masked(
        self,
        truth: Patch,
        proposed: Patch,
        true: NDArray[np.float32],
        guess: NDArray[np.float32],
        heard: NDArray[np.bool_],
        prefix: str,
    ) -> Values:
        columns = np.repeat(heard, self.widths, axis=1)
        choices, steps = heard & self.space.is_categorical, heard & self._is_discrete
        return {
            f"{prefix}mse": mean_squared_error(true, guess, columns),
            f"{prefix}mae": mean_absolute_error(true, guess, columns),
            f"{prefix}choices": accuracy(truth, proposed, choices),
            f"{prefix}steps_exact": accuracy(truth, proposed, steps),
            f"{prefix}steps_near": accuracy(truth, proposed, steps, steps=1),
        }

    def _over_blocks(
        self, metric: Callable[..., NDArray[np.float64]], true: NDArray[np.float32], guess: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """A token weighs as much as any other, whatever group it is in."""
        counts = [len(blocks) for blocks in self.groups]
        return np.average([metric(true, guess, blocks) for blocks in self.groups], axis=0, weights=counts)

    def _vectors(self, patches: Patch) -> NDArray[np.float32]:
        return 2.0 * self.space.encode(patches) - np.float32(1.0)
