"""k-sin and k-osc: k like oscillators, so that any exchange of two leaves the sound unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from wav2patch.parameters import Continuous, ParameterSpace, Patch
from wav2patch.structure import Activity, Block, Condition, Symmetry
from wav2patch.synths.tensor.controls import Scaled, band
from wav2patch.synths.tensor.synth import TensorSynth

if TYPE_CHECKING:
    from torch import Tensor


class Oscillators(TensorSynth):
    """k oscillators without anything between them.

    Args:
        family: Name without variants.
        title: Name for people.
        k: Number of oscillators.
        low: Lowest frequency in Hz.
        high: Highest frequency in Hz.
        symmetric: Whether all oscillators have the whole range; otherwise each has a k-th of it.
        shifted: Whether frequencies are low in training and high in the test, see `ShiftedPrior`; the original has
            this for k-sin only.
        fields: Names of an oscillator's parameters, frequency and amplitude first.
        frequency: Default of the frequencies.

    Raises:
        ValueError: There is less than one oscillator, or frequencies are to be shifted within bands.
    """

    def __init__(
        self,
        family: str,
        title: str,
        k: int,
        low: float,
        high: float,
        *,
        symmetric: bool,
        shifted: bool,
        fields: Sequence[str],
        frequency: float = 0.0,
    ) -> None:
        if k < 1:
            raise ValueError(f"a synth has at least one oscillator, not {k}")
        if shifted and not symmetric:
            raise ValueError("frequencies are shifted in the symmetric variant only")
        self.k, self.symmetric = k, symmetric
        bounds = [band(i, k, low, high, symmetric=symmetric) for i in range(k)]
        variant = "_asymmetric" * (not symmetric) + "_shifted" * shifted
        space = _space(fields, bounds, frequency, symmetric)
        super().__init__(f"{family}_{k}{variant}", title, space, k, space.names[:k] if shifted else ())

    def arranged(self, patch: Patch) -> Patch:
        """The patch with its oscillators in the order of amplitude, loudest first.

        The order in which numbers are added shows in the last bit: this way exchanging oscillators does not change
        one, and neither does what a silent one is set to.
        """
        if not self.symmetric:
            return patch
        table = patch.reshape(-1, self.k)
        frequency, amplitude, *others = table
        return table[:, np.lexsort((*others, frequency, -amplitude))].ravel()


class KSin(Oscillators):
    """k sines, summed; see `signals.ksin.ksin`."""

    def __init__(self, k: int, *, symmetric: bool = True, shifted: bool = False) -> None:
        super().__init__(
            "ksin",
            f"k-sin, {k} sines (research)",
            k,
            0.0,
            22050.0,
            symmetric=symmetric,
            shifted=shifted,
            fields=("frequency", "amplitude"),
            # Halfway up would be half the sample rate at 22,050 Hz, where a sine is silent.
            frequency=-0.5,
        )

    def signal(self, patches: Tensor, length: int, *, sample_rate: float, start: int = 0) -> Tensor:
        """See `TensorSynth.signal`."""
        from wav2patch.synths.tensor.signals.ksin import ksin  # noqa: PLC0415 - imports PyTorch

        return ksin(patches, length, symmetric=self.symmetric, sample_rate=sample_rate, start=start)


class KOsc(Oscillators):
    """k oscillators from sine over square to saw, averaged; see `signals.kosc.kosc`."""

    precision = np.float32

    def __init__(self, k: int, *, symmetric: bool = True, shifted: bool = False) -> None:
        super().__init__(
            "kosc",
            f"k-osc, {k} oscillators (research)",
            k,
            20.0,
            4000.0,
            symmetric=symmetric,
            shifted=shifted,
            fields=("frequency", "amplitude", "waveform"),
        )

    def signal(self, patches: Tensor, length: int, *, sample_rate: float, start: int = 0) -> Tensor:
        """See `TensorSynth.signal`."""
        from wav2patch.synths.tensor.signals.kosc import kosc  # noqa: PLC0415 - imports PyTorch

        return kosc(patches, length, symmetric=self.symmetric, sample_rate=sample_rate, start=start)


def _space(
    fields: Sequence[str], bounds: Sequence[tuple[float, float]], frequency: float, symmetric: bool
) -> ParameterSpace:
    """The parameters field by field, as the papers lay them out: all frequencies, all amplitudes, all waveforms."""
    numbers = range(1, len(bounds) + 1)
    oscillators = [tuple(f"{field}_{i}" for field in fields) for i in numbers]
    return ParameterSpace(
        tuple(_control(field, i, bounds[i - 1], frequency) for field in fields for i in numbers),
        blocks=tuple(Block(f"oscillator_{i}", "oscillator", oscillators[i - 1]) for i in numbers),
        activities=tuple(Activity((names[0], *names[2:]), ((Condition(names[1]),),)) for names in oscillators),
        symmetries=tuple(_exchange(a, b) for a, b in pairwise(oscillators)) if symmetric else (),
    )


def _control(field: str, number: int, bounds: tuple[float, float], frequency: float) -> Continuous:
    name, label = f"{field}_{number}", f"Oscillator {number}: {field}"
    if field == "frequency":
        return Scaled(name, -1.0, 1.0, frequency, "Hz", label, *bounds)
    if field == "amplitude":
        return Scaled(name, -1.0, 1.0, 0.0, "", label)
    return Continuous(name, -1.0, 1.0, 0.0, "", f"{label} (−1 sine, 0 square, 1 saw)")


def _exchange(first: Sequence[str], second: Sequence[str]) -> Symmetry:
    return Symmetry(f"exchange {first[0]} and {second[0]}", (*first, *second), (*second, *first))
