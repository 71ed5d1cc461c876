"""Dynamic time warping: the distance between two sequences that may run at different paces.

Conventions:
    Sequences are ``(frames, dimensions)``. The step pattern is symmetric2 (Sakoe and Chiba, 1978, P = 0;
    the default of the R and Python packages called dtw): a diagonal step counts its local cost twice, so
    that every path has the total weight N + M and the cost divided by N + M does not favour a path for its
    length.
"""

import numpy as np
from numpy.typing import NDArray


def dtw_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Normalised cost of the best alignment, with the mean absolute difference as local cost.

    The recursion is g(i, j) = min(g(i-1, j) + d, g(i, j-1) + d, g(i-1, j-1) + 2d), where d is the mean over
    dimensions of abs(first[i] - second[j]). Cells with equal i + j do not depend on each other, so each
    anti-diagonal is one array operation, and three of them are all the memory that is needed.

    Args:
        first: ``(N, dimensions)``, N at least 1.
        second: ``(M, dimensions)``, M at least 1.

    Returns:
        g(N-1, M-1) / (N + M), at least 0, in the unit of the sequences.
    """
    rows, columns = len(first), len(second)
    backwards = second[::-1]
    before_last, last = np.full(rows + 1, np.inf), np.full(rows + 1, np.inf)
    for diagonal in range(rows + columns - 1):
        low, high = max(0, diagonal - columns + 1), min(diagonal + 1, rows)
        start = columns - 1 - diagonal + low
        local = np.abs(first[low:high] - backwards[start : start + high - low]).mean(axis=1)
        # Cell (i, j) is kept at index i + 1, so that row -1 is the infinite border at index 0.
        current = np.full(rows + 1, np.inf)
        if diagonal == 0:
            current[1] = local[0]
        else:
            straight = np.minimum(last[low:high], last[low + 1 : high + 1])
            current[low + 1 : high + 1] = np.minimum(straight + local, before_last[low:high] + 2.0 * local)
        before_last, last = last, current
    return float(last[rows]) / (rows + columns)
