"""The nine parameters of InverSynth II's FM synth, all of them classes, and which of them can be heard."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from wav2patch.parameters import Categorical, ParameterSpace, Patch
from wav2patch.priors import UniformPrior
from wav2patch.structure import Activity, Block, Condition
from wav2patch.synths.tensor.controls import stepped

SAMPLE_RATE = 16384.0
"""Of the original, in Hz; its sounds last one second."""

WAVES = ("sine", "square", "saw")
LFO_WAVES = ("sine", "square", "triangle", "saw")
AM_WAVES = ("none", *LFO_WAVES)
FREQUENCIES = tuple(440.0 * 2.0 ** (semitone / 12.0) for semitone in range(12))
INDICES = tuple(0.3 * i / 19 for i in range(20))
LFO_FREQUENCIES = tuple(1.0 + 0.5 * i for i in range(31))
AM_FREQUENCIES = tuple(float(i) for i in range(1, 9))
AM_AMOUNTS = tuple(0.25 * i for i in range(5))
CUTOFFS = tuple(1000.0 + (8192.0 - 1000.0) * i / 15 for i in range(16))
CLASSES = (3, 12, 20, 31, 4, 5, 8, 5, 16)
"""Number of classes of every parameter: 104 in all, the outputs of a classifier."""


@cache
def inversynth_space() -> ParameterSpace:
    """The parameters: values are the numbers of classes.

    Waves are categorical. The others are discrete, as their order means something, so an encoding has 18 numbers;
    the original's 104 are one-hots of all classes, as `signals.inversynth.one_hots` gives them.
    """
    parameters = (
        Categorical("oscillator_wave", WAVES, label="Oscillator: wave"),
        stepped("oscillator_frequency", FREQUENCIES, unit="Hz", label="Oscillator: frequency"),
        stepped("modulation_index", INDICES, label="Oscillator: modulation index"),
        stepped("lfo_frequency", LFO_FREQUENCIES, unit="Hz", label="LFO: frequency"),
        Categorical("lfo_wave", LFO_WAVES, label="LFO: wave"),
        Categorical("am_wave", AM_WAVES, label="Tremolo: wave"),
        stepped("am_frequency", AM_FREQUENCIES, unit="Hz", label="Tremolo: frequency"),
        stepped("am_amount", AM_AMOUNTS, label="Tremolo: amount"),
        stepped("filter_cutoff", CUTOFFS, len(CUTOFFS) - 1, unit="Hz", label="Filter: cutoff"),
    )
    names = tuple(parameter.name for parameter in parameters)
    sounding, trembling = Condition("modulation_index"), Condition("am_wave")
    return ParameterSpace(
        parameters,
        blocks=(
            Block("oscillator", "oscillator", names[:3]),
            Block("lfo", "lfo", names[3:5]),
            Block("tremolo", "tremolo", names[5:8]),
            Block("filter", "filter", names[8:]),
        ),
        activities=(
            Activity(("lfo_frequency", "lfo_wave"), ((sounding,),)),
            Activity(("am_amount",), ((trembling,),)),
            Activity(("am_frequency",), ((trembling, Condition("am_amount")),)),
            Activity(("filter_cutoff",), ((Condition("oscillator_wave"),),)),
        ),
    )


def canonical(patches: ArrayLike) -> Patch:
    """Patches ``(…, 9)`` with what cannot be heard brought to one value, as the original does.

    Without modulation the LFO is a sine of 1 Hz; without a tremolo wave the tremolo is at 1 Hz with amount 0; behind a
    sine the filter is open. (The last is a rule of the synth, not of the ear: a sine with vibrato reaches the filter.)
    """
    values = np.array(patches, dtype=np.float64)
    space = inversynth_space()
    still = values[..., space.index("modulation_index")] == 0
    steady = values[..., space.index("am_wave")] == AM_WAVES.index("none")
    plain = values[..., space.index("oscillator_wave")] == WAVES.index("sine")
    for name, where, value in (
        ("lfo_frequency", still, 0),
        ("lfo_wave", still, 0),
        ("am_frequency", steady, 0),
        ("am_amount", steady, 0),
        ("filter_cutoff", plain, len(CUTOFFS) - 1),
    ):
        place = space.index(name)
        values[..., place] = np.where(where, value, values[..., place])
    return values


@dataclass(frozen=True)
class CanonicalPrior:
    """Every class equally likely, then `canonical`, as the original draws its sounds."""

    space: ParameterSpace

    def sample(self, generator: np.random.Generator, n: int) -> Patch:
        """Draw n patches, ``(n, 9)``."""
        return canonical(UniformPrior(self.space).sample(generator, n))
