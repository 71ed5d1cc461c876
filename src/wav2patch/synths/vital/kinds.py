"""The kinds of sound that the prior draws: what sets a bass apart from a pad.

Made by hand, after what factory and community presets have in common: there is no collection of Vital presets that
may be passed on. Times are in seconds, shares are chances, cutoffs are MIDI notes.
"""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class Kind:
    """How one kind of sound is drawn.

    Attributes:
        weight: How often it comes up.
        attack: Range of attack times.
        decay: Range of decay times.
        sustain: Range of sustain levels; a kind that dies away has none.
        release: Range of release times.
        filtered: Chance of a filter.
        cutoff: Range of its cutoff before envelopes.
        swept: Chance that an envelope moves the cutoff.
        second: Chance of a second oscillator.
        third: Chance of a third, given a second.
        unison: Chance of more than one unison voice, for each oscillator.
        fm: Chance that the first oscillator is modulated by the second.
        noise: Chance of noise.
        lower: Chance that the first oscillator plays an octave lower.
        vibrato: Chance of a vibrato.
        moving: Chance that an LFO or envelope moves the wave.
        odd: Chance of intervals and pitch movements that leave the key.
        space: Chances of chorus, delay and reverb.
    """

    weight: float
    attack: Range
    decay: Range
    sustain: Range
    release: Range
    filtered: float = 0.7
    cutoff: Range = (60.0, 115.0)
    swept: float = 0.4
    second: float = 0.55
    third: float = 0.4
    unison: float = 0.25
    fm: float = 0.1
    noise: float = 0.1
    lower: float = 0.0
    vibrato: float = 0.1
    moving: float = 0.25
    odd: float = 0.03
    space: tuple[float, float, float] = (0.2, 0.15, 0.3)


KINDS: tuple[Kind, ...] = (
    # Bass: dark, filtered, dry, often an octave below.
    Kind(
        0.15,
        (0.0005, 0.02),
        (0.15, 1.5),
        (0.2, 1.0),
        (0.03, 0.3),
        0.9,
        (45.0, 85.0),
        0.6,
        lower=0.35,
        noise=0.05,
        space=(0.12, 0.03, 0.05),
    ),
    # Lead: bright, sustained, with vibrato and echo.
    Kind(
        0.17,
        (0.001, 0.06),
        (0.2, 2.0),
        (0.5, 1.0),
        (0.05, 0.5),
        0.65,
        (75.0, 120.0),
        0.3,
        unison=0.45,
        vibrato=0.4,
        space=(0.2, 0.35, 0.35),
    ),
    # Pad: slow, wide, wet.
    Kind(
        0.13,
        (0.1, 1.2),
        (0.5, 4.0),
        (0.6, 1.0),
        (0.4, 3.0),
        0.75,
        (60.0, 105.0),
        0.35,
        0.8,
        0.5,
        0.6,
        vibrato=0.15,
        moving=0.45,
        space=(0.4, 0.2, 0.75),
    ),
    # Pluck: dies away, its filter with it.
    Kind(
        0.16,
        (0.0003, 0.004),
        (0.1, 1.2),
        (0.0, 0.1),
        (0.05, 0.8),
        0.85,
        (50.0, 95.0),
        0.75,
        noise=0.15,
        space=(0.2, 0.25, 0.4),
    ),
    # Keys: electric pianos and mallets, often frequency modulation.
    Kind(
        0.13,
        (0.0003, 0.006),
        (0.5, 4.0),
        (0.0, 0.35),
        (0.1, 0.6),
        0.45,
        (75.0, 120.0),
        0.35,
        0.85,
        0.35,
        0.05,
        0.5,
        moving=0.1,
        space=(0.25, 0.05, 0.3),
    ),
    # Bell: long and inharmonic.
    Kind(
        0.06,
        (0.0003, 0.003),
        (1.0, 6.0),
        (0.0, 0.1),
        (0.5, 3.0),
        0.25,
        (85.0, 125.0),
        0.2,
        0.9,
        0.4,
        0.0,
        0.8,
        moving=0.05,
        odd=0.25,
        space=(0.15, 0.1, 0.5),
    ),
    # Organ and reed: on or off.
    Kind(
        0.08,
        (0.002, 0.03),
        (0.2, 1.0),
        (0.85, 1.0),
        (0.02, 0.15),
        0.3,
        (80.0, 120.0),
        0.1,
        0.85,
        0.7,
        0.05,
        vibrato=0.3,
        moving=0.1,
        space=(0.3, 0.03, 0.3),
    ),
    # Brass and strings: a filter that opens.
    Kind(
        0.08,
        (0.02, 0.3),
        (0.3, 2.0),
        (0.6, 1.0),
        (0.1, 0.6),
        0.95,
        (50.0, 90.0),
        0.85,
        0.7,
        0.4,
        0.4,
        vibrato=0.25,
        space=(0.25, 0.05, 0.4),
    ),
    # Effects and percussion: anything that moves.
    Kind(
        0.04,
        (0.0005, 0.5),
        (0.1, 4.0),
        (0.0, 1.0),
        (0.1, 2.0),
        0.7,
        (50.0, 120.0),
        0.6,
        0.6,
        0.5,
        0.3,
        0.3,
        0.5,
        0.1,
        0.1,
        0.5,
        0.6,
        (0.3, 0.3, 0.5),
    ),
)
"""All kinds."""
