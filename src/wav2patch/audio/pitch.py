"""The pitch of one note: candidates from the partials and from a network, weighed by one linear score."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.audio import network, partials
from wav2patch.resampling import resample

LOWEST, HIGHEST = 25.0, 5_000.0
"""Hz between which a pitch is looked for."""

CHOICE = (2.13, 3.38, -1.49, -0.292, 4.09, -1.77, -0.337, 0.0611, 5.63)
"""Weights of the evidence for a candidate: the eight numbers of `partials.evidence` and the network's support.

A conditional logit model has them from half of the notes of ``benchmarks/pitch_accuracy.py --fit``; the other
half measures it.
"""

VOICING = (5.05, 7.52, 5.24, -5.42)
"""Logistic weights that there is a pitch at all: prominence, periodicity, the network's support, constant."""

_STRONGEST = 10
_DIVISORS = 10
_SAME = 35.0


@dataclass(frozen=True)
class Pitch:
    """What a note's pitch was heard as.

    Attributes:
        frequency: Fundamental in Hz, None where no pitch is heard.
        confidence: 0 to 1: how likely there is a pitch, times how likely it is this one of the candidates.
    """

    frequency: float | None
    confidence: float


@dataclass(frozen=True)
class Candidates:
    """Fundamentals that a note may have.

    Attributes:
        spectrum: The note's partials.
        frequency: In Hz, ascending, shape (candidates,).
        evidence: What speaks for each, in the order of `CHOICE`, shape (candidates, 9).
    """

    spectrum: partials.Spectrum
    frequency: NDArray[np.float64]
    evidence: NDArray[np.float64]


def cents(frequency: float, reference: float) -> float:
    """Interval from `reference` up to `frequency`, both in Hz, in hundredths of a semitone."""
    return 1200.0 * math.log2(frequency / reference)


def find_pitch(audio: NDArray[np.floating], sample_rate: int) -> Pitch:
    """Pitch of one note between 25 Hz and 5 kHz.

    The pitch is the key a musician would name. A missing fundamental is heard from its harmonics. A bell or a
    bar whose partials are not harmonic has the pitch of its lowest strong partial, which is what a vibraphone,
    a marimba or an FM bell is tuned by; the strike note of a tubular bell, which is none of its partials, is
    found in part of the cases only. An organ with a 16-foot stop sounds, and is heard, an octave below the key.

    Args:
        audio: Samples of shape (samples,).
        sample_rate: Samples per second.

    Returns:
        The pitch, within 20 cents as a rule; None for noise, cymbals, snare drums and silence.
    """
    found = find_candidates(audio, sample_rate)
    if found is None:
        return Pitch(None, 0.0)
    score = found.evidence @ np.array(CHOICE)
    best = int(np.argmax(score))
    likelihood = 1.0 / float(np.exp(score - score[best]).sum())
    voiced = _voicing(found, best)
    frequency = partials.refine(found.spectrum, float(found.frequency[best]))
    return Pitch(frequency if voiced > 0.5 else None, voiced * likelihood)


def find_candidates(audio: NDArray[np.floating], sample_rate: int) -> Candidates | None:
    """Fundamentals that the sound (samples,) may have, None where nothing speaks for any."""
    sound = resample(audio, sample_rate, partials.RATE)
    if not len(sound) or not sound.any():
        return None
    part = partials.steady_part(sound)
    spectrum = partials.analyse(part)
    heard = network.tracks(part, partials.RATE)
    frequencies = _apart([*_fractions(spectrum), *network.proposals(heard)])
    if not frequencies:
        return None
    evidence = [[*partials.evidence(spectrum, f), network.support(heard, f)] for f in frequencies]
    return Candidates(spectrum, np.array(frequencies), np.array(evidence))


def _fractions(spectrum: partials.Spectrum) -> list[float]:
    """The strongest partials and their tenths, ninths … halves."""
    return (spectrum.frequency[:_STRONGEST, None] / np.arange(1, _DIVISORS + 1)).ravel().tolist()


def _apart(frequencies: list[float]) -> list[float]:
    """Frequencies within the range, those within 35 cents of each other as their median."""
    groups: list[list[float]] = []
    for frequency in sorted(frequencies):
        if not LOWEST <= frequency <= HIGHEST:
            continue
        if groups and cents(frequency, groups[-1][0]) < _SAME:
            groups[-1].append(frequency)
        else:
            groups.append([frequency])
    return [float(np.median(group)) for group in groups]


def _voicing(found: Candidates, best: int) -> float:
    """How likely the sound has a pitch, 0–1, given its best candidate."""
    amplitude = found.spectrum.amplitude
    prominence = np.minimum(found.spectrum.prominence, 40.0) / 40.0
    tonal = float(np.sum(amplitude * prominence) / (np.sum(amplitude) + 1e-9))
    *weights, constant = VOICING
    score = constant + np.dot(weights, [tonal, found.evidence[best, 4], found.evidence[best, 8]])
    return float(1.0 / (1.0 + np.exp(-score)))
