"""How far proposed parameters are from those that made the sound.

Conventions:
    A vector is an encoding moved to [−1, 1], ``(n, D)``: n patches of D columns; a one-hot has ±1. The truth comes
    first, the proposal second, both of the same shape. Every metric gives one value for each patch, ``(n,)``, and the
    published figure of a model is the mean over the test set. Where a mask ``(n, P)`` or ``(n, D)`` is given, only
    what it marks counts, and a patch of which it marks nothing has the value NaN.

    Blocks are columns that can be exchanged for each other without a change of sound, such as the oscillators of
    k-osc: ``(k, c)`` numbers of columns, k blocks of c columns, where column j of one block means what column j of
    every other does. A block's c values are its token.

Metrics:
    * `mean_squared_error`, `mean_absolute_error`: over the columns. The mean squared error of two uniform draws is
      2/3, of a uniform draw and the middle 1/3.
    * `chamfer_distance`: mean over both directions of the smallest squared distance between tokens.
    * `assignment_distance`: mean distance of the tokens after the assignment of blocks that makes it smallest.
    * `accuracy`: share of categorical or discrete values that are right, or at most some steps off.
    * `parameter_errors`: absolute error of each parameter, for tables by name.

The distances of tokens are those of Hayes et al. (ISMIR 2025, arXiv 2506.07199, section 4.1). The paper words the
second one, LAC, as the least mean squared error over permutations; its code, which made the figure, takes the
Euclidean distance of tokens without squaring it, and so does this.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

Values = NDArray[np.floating]
Mask = NDArray[np.bool_]
Result = NDArray[np.float64]


def mean_squared_error(truth: Values, proposal: Values, mask: Mask | None = None) -> Result:
    """Mean over the columns of the squared difference.

    Args:
        truth: ``(n, D)``.
        proposal: ``(n, D)``.
        mask: ``(n, D)``: which columns count.

    Returns:
        ``(n,)``, at least 0; at most 4 within [−1, 1].

    Raises:
        ValueError: The shapes differ.
    """
    return masked_mean(np.square(_difference(truth, proposal)), mask)


def mean_absolute_error(truth: Values, proposal: Values, mask: Mask | None = None) -> Result:
    """Mean over the columns of the absolute difference; see `mean_squared_error`."""
    return masked_mean(np.abs(_difference(truth, proposal)), mask)


def chamfer_distance(truth: Values, proposal: Values, blocks: ArrayLike) -> Result:
    """For each token the squared distance to the nearest one of the other patch: the mean over all of both patches.

    Two tokens may have the same nearest one, so a proposal that repeats one oscillator of several can come out well.

    Args:
        truth: ``(n, D)``.
        proposal: ``(n, D)``.
        blocks: ``(k, c)``.

    Returns:
        ``(n,)``, at least 0.

    Raises:
        ValueError: The shapes differ, or the blocks are not of the same size.
    """
    squared = _token_distances(truth, proposal, blocks)
    return 0.5 * (squared.min(axis=2).mean(axis=1) + squared.min(axis=1).mean(axis=1))


def assignment_distance(truth: Values, proposal: Values, blocks: ArrayLike) -> Result:
    """The mean Euclidean distance of tokens, blocks being paired so that it is smallest (linear assignment).

    Args:
        truth: ``(n, D)``.
        proposal: ``(n, D)``.
        blocks: ``(k, c)``.

    Returns:
        ``(n,)``, at least 0.

    Raises:
        ValueError: The shapes differ, or the blocks are not of the same size.
    """
    distances = np.sqrt(_token_distances(truth, proposal, blocks))
    return np.array([one[linear_sum_assignment(one)].mean() for one in distances], dtype=np.float64)


def accuracy(truth: Values, proposal: Values, mask: Mask | None = None, *, steps: int = 0) -> Result:
    """The share of values that are right, or at most `steps` off.

    Args:
        truth: ``(n, P)`` whole numbers: indices of choices, or values of discrete parameters.
        proposal: ``(n, P)``.
        mask: ``(n, P)``: which values count.
        steps: How far off a value may be; 0 for choices, whose order means nothing.

    Returns:
        ``(n,)``, from 0 to 1; NaN where there is nothing to be right about.

    Raises:
        ValueError: The shapes differ.
    """
    return masked_mean((np.abs(_difference(truth, proposal)) <= steps).astype(np.float64), mask)


def parameter_errors(truth: Values, proposal: Values, widths: Sequence[int]) -> Result:
    """The absolute error of each parameter: the mean over its columns.

    A one-hot of K choices has the error 4 / K where it is wrong.

    Args:
        truth: ``(n, D)``.
        proposal: ``(n, D)``.
        widths: Columns of each of P parameters; D in all.

    Returns:
        ``(n, P)``.

    Raises:
        ValueError: The shapes differ, or the widths do not add up.
    """
    errors = np.abs(_difference(truth, proposal))
    sizes = np.asarray(widths, dtype=np.intp)
    ends = np.cumsum(sizes)
    if not len(ends) or sizes.min() < 1 or ends[-1] != errors.shape[1]:
        raise ValueError(f"widths {tuple(widths)} do not add up to {errors.shape[1]} columns")
    return np.add.reduceat(errors, ends - sizes, axis=1) / sizes


def masked_mean(values: Values, mask: Mask | None = None) -> Result:
    """The mean ``(n,)`` of those of ``(n, …)`` values that a mask of the same shape marks; NaN where it marks none.

    Raises:
        ValueError: The mask has another shape.
    """
    if mask is None:
        mask = np.ones(values.shape, dtype=np.bool_)
    if mask.shape != values.shape:
        raise ValueError(f"a mask of shape {mask.shape} does not go with values of shape {values.shape}")
    count = mask.sum(axis=1)
    sums = np.where(mask, values, 0.0).sum(axis=1, dtype=np.float64)
    return np.divide(sums, count, out=np.full(len(values), np.nan), where=count > 0)


def _token_distances(truth: Values, proposal: Values, blocks: ArrayLike) -> Result:
    """Squared distances ``(n, k, k)`` from each of the true tokens to each of the proposed ones."""
    _difference(truth, proposal)
    columns = np.asarray(blocks, dtype=np.intp)
    if columns.ndim != 2 or columns.size == 0:
        raise ValueError(f"blocks are k rows of c columns each, not an array of shape {columns.shape}")
    ours, theirs = (np.asarray(values, dtype=np.float64)[:, columns] for values in (truth, proposal))
    return np.square(ours[:, :, None] - theirs[:, None]).sum(axis=-1)


def _difference(truth: Values, proposal: Values) -> Result:
    if truth.shape != proposal.shape or truth.ndim != 2:
        raise ValueError(f"parameters of shapes {truth.shape} and {proposal.shape} cannot be compared")
    return np.subtract(proposal, truth, dtype=np.float64)
