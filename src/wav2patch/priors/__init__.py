"""Priors: the distributions that patches are drawn from, one a file."""

from __future__ import annotations

from wav2patch.priors.base import Prior, draw
from wav2patch.priors.copula import LEVELS, CopulaPrior, fit_copula, load_prior, save_prior
from wav2patch.priors.crossover import CrossoverPrior
from wav2patch.priors.independent import IndependentPrior, Marginal
from wav2patch.priors.mixture import MixturePrior
from wav2patch.priors.mutation import MutationPrior
from wav2patch.priors.presets import PresetPrior, distinct
from wav2patch.priors.uniform import UniformPrior

__all__ = [
    "LEVELS",
    "CopulaPrior",
    "CrossoverPrior",
    "IndependentPrior",
    "Marginal",
    "MixturePrior",
    "MutationPrior",
    "PresetPrior",
    "Prior",
    "UniformPrior",
    "distinct",
    "draw",
    "fit_copula",
    "load_prior",
    "save_prior",
]
