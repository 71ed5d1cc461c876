"""The statistics of real patches: what `wav2patch prior fit` learns, and its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from wav2patch.errors import UserError
from wav2patch.files import atomic_path
from wav2patch.parameters import ParameterSpace, Patch

LEVELS = 257


@dataclass(frozen=True)
class CopulaPrior:
    """A Gaussian copula fitted to a collection of real patches.

    Every parameter keeps its own distribution, and pairs keep the correlation of their normal scores: with
    z ~ N(0, `correlation`) and u = Φ(z), parameter j takes the value ``quantiles[⌊257 u_j⌋, j]``; a continuous one
    is interpolated between its order statistics.

    Attributes:
        space: The parameter space.
        quantiles: ``(257, P)`` order statistics of each parameter, in the synth's own units.
        correlation: ``(P, P)``, of the normal scores; positive definite.
        count: Number of patches that it was fitted to.
    """

    space: ParameterSpace
    quantiles: NDArray[np.float64]
    correlation: NDArray[np.float64]
    count: int

    def __post_init__(self) -> None:
        size = len(self.space)
        if self.quantiles.shape[1:] != (size,) or self.correlation.shape != (size, size):
            raise ValueError(f"statistics of {self.quantiles.shape[1]} parameters do not fit a space of {size}")
        if not np.isfinite(self.correlation).all():
            raise ValueError("the correlation holds values that are not finite")
        self.space.validate(self.quantiles)
        object.__setattr__(self, "_root", np.linalg.cholesky(self.correlation))

    def sample(self, generator: np.random.Generator, n: int) -> Patch:
        """Draw n patches, ``(n, P)``."""
        from scipy.special import ndtr  # noqa: PLC0415 - every worker process would wait for SciPy

        root: NDArray[np.float64] = getattr(self, "_root")  # noqa: B009 - a frozen dataclass has no slot to name
        uniform = ndtr(generator.standard_normal((n, len(self.space))) @ root.T)
        levels = len(self.quantiles)
        rows = np.minimum((levels * uniform).astype(np.intp), levels - 1)
        stepped = np.take_along_axis(self.quantiles, rows, axis=0)
        if not self.space.is_continuous.any():
            return stepped
        grid = np.linspace(0.0, 1.0, levels)
        smooth = np.stack([np.interp(u, grid, q) for u, q in zip(uniform.T, self.quantiles.T, strict=True)], axis=1)
        return self.space.snap(np.where(self.space.is_continuous, smooth, stepped))


def fit_copula(space: ParameterSpace, patches: Patch, *, shrinkage: float = 0.1) -> CopulaPrior:
    """Fit a copula to patches ``(n, P)``; the correlation is shrunk towards the identity.

    Raises:
        UserError: There are fewer than two different patches.
    """
    from scipy.special import ndtri  # noqa: PLC0415 - every worker process would wait for SciPy
    from scipy.stats import rankdata  # noqa: PLC0415

    space.validate(patches)
    patches = np.unique(patches, axis=0)
    if len(patches) < 2:
        raise UserError("a prior needs at least two different patches: give a folder with more presets.")
    ranks = rankdata(patches, axis=0)
    scores = ndtri(ranks / (len(patches) + 1))
    spread = scores.std(axis=0)
    standard = (scores - scores.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    correlation = (1 - shrinkage) * (standard.T @ standard) / len(patches)
    np.fill_diagonal(correlation, 1.0)
    rows = np.rint(np.linspace(0, len(patches) - 1, LEVELS)).astype(np.intp)
    return CopulaPrior(space, np.sort(patches, axis=0)[rows], correlation, len(patches))


def save_prior(prior: CopulaPrior, path: Path) -> None:
    """Write the statistics as ``.npz``: quantiles, correlation, names and count; no pickles."""
    arrays = {
        "quantiles": prior.quantiles,
        "correlation": prior.correlation.astype(np.float32),
        "names": np.array(prior.space.names),
        "count": np.array(prior.count),
    }
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load_prior(space: ParameterSpace, source: Path | BinaryIO) -> CopulaPrior:
    """Read statistics that `save_prior` wrote.

    Raises:
        UserError: The file is missing, is something else, or belongs to another synth.
    """
    name = source if isinstance(source, Path) else "the prior"
    try:
        with np.load(source, allow_pickle=False) as arrays:
            names = tuple(str(name) for name in arrays["names"])
            quantiles = arrays["quantiles"].astype(np.float64)
            correlation = arrays["correlation"].astype(np.float64)
            count = int(arrays["count"])
        if names == space.names:
            return CopulaPrior(space, quantiles, correlation, count)
    except FileNotFoundError:
        raise UserError(f"there is no file {name}.") from None
    except Exception as error:
        raise UserError(f"{name} is not a prior that `wav2patch prior fit` wrote, or it is damaged.") from error
    raise UserError(f"{name} belongs to another synth: its parameters are not those of this one.")
