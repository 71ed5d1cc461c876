"""Thousands of draws at once, each from a generator of its own.

Row i is drawn by ``numpy.random.default_rng([seed, i, 0])``. To make so many generators, and to call a prior for each,
takes 50 to 100 µs a row, which is more than a GPU takes to render it. Here the generators are made and run side by
side in arrays, and give the same numbers to the last bit: NumPy promises not to change `SeedSequence` and `PCG64`.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from wav2patch.parameters import Patch
from wav2patch.priors import Prior, UniformPrior, draw
from wav2patch.synths.tensor.shifted import ShiftedPrior

Words = NDArray[np.uint32]
Longs = NDArray[np.uint64]

_SIDE_BY_SIDE = (UniformPrior, ShiftedPrior)
"""Priors that call `Generator.random` alone, for arrays of n rows, and treat every row by itself."""

# NumPy's SeedSequence, after O'Neill, "Developing a seed_seq alternative" (2015).
_INIT_A, _MULT_A, _INIT_B, _MULT_B = 0x43B0D7E5, 0x931E8875, 0x8B51F9DD, 0x58F38DED
_MIX_LEFT, _MIX_RIGHT, _SHIFT, _POOL = np.uint32(0xCA01F9DD), np.uint32(0x4973F715), np.uint32(16), 4
# PCG64: a linear congruential generator of 128 bits and the output XSL RR (O'Neill, "PCG", HMC-CS-2014-0905).
_FACTOR_HIGH, _FACTOR_LOW = np.uint64(0x2360ED051FC65DA4), np.uint64(0x4385DF649FCCF645)
_HALF, _LOW_HALF, _ONE = np.uint64(32), np.uint64(0xFFFFFFFF), np.uint64(1)


def draw_many(prior: Prior, seed: int, indices: NDArray[np.int64]) -> Patch:
    """Patches ``(n, P)``, the same as `draw` gives for each of the indices ``(n,)``."""
    if type(prior) in _SIDE_BY_SIDE and len(indices) and int(indices.max()) < 2**32:
        generator = cast(np.random.Generator, Generators(seed, indices))
        return prior.sample(generator, len(indices))
    return np.stack([draw(prior, seed, int(index)) for index in indices])


class Generators:
    """The generators ``default_rng([seed, index, 0])`` of many indices, one for each row of what they give.

    Args:
        seed: 0 or more.
        indices: ``(n,)``, each below 2**32.
    """

    def __init__(self, seed: int, indices: NDArray[np.int64]) -> None:
        words = [np.full(len(indices), word, np.uint32) for word in _words(seed)]
        pool = _mixed_pool([*words, indices.astype(np.uint32), np.zeros(len(indices), np.uint32)])
        start_high, start_low, step_high, step_low = _seeds(pool)
        self._step_high = (step_high << _ONE) | (step_low >> np.uint64(63))
        self._step_low = (step_low << _ONE) | _ONE
        self._low = self._step_low + start_low
        self._high = self._step_high + start_high + (self._low < start_low)
        self._advance()

    def random(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Numbers in [0, 1), ``(n, …)``: row by row what each generator's `random` gives."""
        rows, *rest = shape
        out = np.empty((int(np.prod(rest)), rows))
        for numbers in out:
            self._advance()
            mixed, turn = self._high ^ self._low, self._high >> np.uint64(58)
            turned = (mixed >> turn) | (mixed << ((np.uint64(64) - turn) & np.uint64(63)))
            np.multiply(turned >> np.uint64(11), 2.0**-53, out=numbers)
        return np.ascontiguousarray(out.T).reshape(shape)

    def _advance(self) -> None:
        """State × factor + step, in 128 bits."""
        low = self._low * _FACTOR_LOW
        high = _high_product(self._low, _FACTOR_LOW) + self._low * _FACTOR_HIGH + self._high * _FACTOR_LOW
        self._low = low + self._step_low
        self._high = high + self._step_high + (self._low < low)


def _high_product(left: Longs, right: np.uint64) -> Longs:
    """The upper 64 of the 128 bits of a product."""
    left_low, left_high = left & _LOW_HALF, left >> _HALF
    right_low, right_high = right & _LOW_HALF, right >> _HALF
    middle = left_high * right_low + ((left_low * right_low) >> _HALF)
    other = left_low * right_high + (middle & _LOW_HALF)
    return left_high * right_high + (middle >> _HALF) + (other >> _HALF)


def _words(number: int) -> list[int]:
    """A number in words of 32 bits, the lowest first; at least one."""
    words = [number & 0xFFFFFFFF]
    while number := number >> 32:
        words.append(number & 0xFFFFFFFF)
    return words


class _Hash:
    """SeedSequence's hash, whose constant changes with every use."""

    def __init__(self, constant: int, factor: int) -> None:
        self._constant, self._factor = constant, factor

    def __call__(self, words: Words) -> Words:
        words = words ^ np.uint32(self._constant)
        self._constant = self._constant * self._factor & 0xFFFFFFFF
        words = words * np.uint32(self._constant)
        return words ^ (words >> _SHIFT)


def _mixed_pool(entropy: list[Words]) -> list[Words]:
    hashed = _Hash(_INIT_A, _MULT_A)
    filled = [*entropy[:_POOL], *[np.zeros_like(entropy[0])] * (_POOL - len(entropy))]
    pool = [hashed(words) for words in filled]
    for source in range(_POOL):
        for target in range(_POOL):
            if source != target:
                pool[target] = _mix(pool[target], hashed(pool[source]))
    for words in entropy[_POOL:]:
        pool = [_mix(one, hashed(words)) for one in pool]
    return pool


def _mix(left: Words, right: Words) -> Words:
    mixed = left * _MIX_LEFT - right * _MIX_RIGHT
    return mixed ^ (mixed >> _SHIFT)


def _seeds(pool: list[Words]) -> list[Longs]:
    """Four numbers of 64 bits from the pool."""
    hashed = _Hash(_INIT_B, _MULT_B)
    words: list[Any] = [hashed(pool[place % _POOL]).astype(np.uint64) for place in range(8)]
    return [words[place] | (words[place + 1] << _HALF) for place in range(0, 8, 2)]
