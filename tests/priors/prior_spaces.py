"""Small spaces and patches to test priors with."""

from __future__ import annotations

import numpy as np

from wav2patch.parameters import Categorical, Continuous, Discrete, ParameterSpace, Patch
from wav2patch.structure import Block

SPACE = ParameterSpace((Discrete("level", 0, 99), Categorical("wave", ("sine", "saw", "square")), Continuous("cutoff")))

BLOCKS = ParameterSpace(
    tuple(Discrete(name, 0, 99) for name in ("a_level", "a_rate", "b_level", "b_rate", "b_ratio", "volume", "tune")),
    blocks=(
        Block("b envelope", "envelope", ("b_rate",), parent="b"),
        Block("a", "operator", ("a_level", "a_rate")),
        Block("b", "operator", ("b_level", "b_rate", "b_ratio")),
    ),
)
"""Two blocks, one of them with a block in it, and two parameters by themselves."""


def correlated_patches(count: int = 4000) -> Patch:
    generator = np.random.default_rng([7, 0])
    hidden = generator.standard_normal(count)
    level = np.clip(np.rint(50 + 20 * hidden), 0, 99)
    wave = generator.choice(3, count, p=[0.7, 0.2, 0.1])
    cutoff = 1 / (1 + np.exp(-hidden - 0.3 * generator.standard_normal(count)))
    return np.stack([level, wave.astype(float), cutoff], axis=1)
