"""Numbers to words: what a musician reads about a match. Pure functions, nothing about HTML.

Every threshold of the report is in this file. They are rules of thumb, not results of listening tests.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from wav2patch.notes import Note, pitch_name

Grade = Literal["good", "fair", "poor", "none"]


@dataclass(frozen=True)
class Level:
    """A step on the scale of closeness.

    Attributes:
        limit: Largest distance in dB that still belongs to it.
        name: Two or three words.
        sentence: What to expect when listening.
        grade: For colours and symbols.
    """

    limit: float
    name: str
    sentence: str
    grade: Grade


# Rules of thumb on the objective's scale. What they rest on, measured on DX7 patches (C4, 2.5 s): a change of volume by
# 1 dB makes 0.7 dB; moving 8 controls of a patch by a tenth of their range 2 dB in the median, 20 controls 4.6 dB;
# two patches that have nothing to do with each other differ by 14 dB, and one pair in a hundred by less than 7 dB.
LEVELS = (
    Level(1.0, "Hard to tell apart", "You have to listen closely to hear which one is the recording.", "good"),
    Level(2.5, "Very close", "Next to each other you will hear small differences.", "good"),
    Level(5.0, "Same family", "The same kind of sound, with differences that you hear at once.", "fair"),
    Level(9.0, "Loosely alike", "It shares some traits with the recording, but nobody would mistake it.", "poor"),
    Level(math.inf, "A different sound", "The search did not get near this recording.", "poor"),
)
FARTHEST = 14.5
"""Decibels between unrelated sounds: the end of the meter."""

PARTS = {
    "spectrum": ("Tone colour", "the tone colour"),
    "magnitude": ("Strongest partials", "the balance of the strongest partials"),
    "envelope": ("Loudness curve", "how the loudness rises and falls"),
}
"""The objective's parts: a heading, and their names within a sentence."""

IN_TUNE, NEARLY, SEMITONE, OCTAVE = 6.0, 20.0, 100.0, 1200.0
"""Cents: as small as most people hear, as small as passes in a mix; two intervals."""

AS_LOUD, LITTLE_LOUDER, CLEARLY_LOUDER = 1.0, 3.0, 6.0
AS_BRIGHT, LITTLE_BRIGHTER = 0.12, 0.4
INAUDIBLE_LU = -30.0

_COUNTS = ("", "an octave", "two octaves", "three octaves", "four octaves", "five octaves")


@dataclass(frozen=True)
class Finding:
    """One thing that can be said of a candidate: words, and whether they are good news."""

    words: str
    grade: Grade


def level(distance: float) -> Level:
    """The step on the scale of closeness that a distance in dB belongs to."""
    # As it is shown, so that 5.0 dB is not called two things on one page.
    return next(step for step in LEVELS if round(distance, 1) <= step.limit)


def closeness(distance: float) -> float:
    """Place on the meter, 0 (a different sound) to 1 (alike); every level takes up an equal part of it."""
    bounds = [0.0, *(step.limit for step in LEVELS[:-1]), FARTHEST]
    for i, (low, high) in enumerate(pairwise(bounds)):
        if distance <= high:
            return 1.0 - (i + (distance - low) / (high - low)) / len(LEVELS)
    return 0.0


def tuning(cents: float | None) -> Finding:
    """How a candidate is tuned: cents by which it sounds above the target, None without two clear pitches."""
    if cents is None:
        return Finding("no clear pitch to compare", "none")
    size = abs(cents)
    if size <= IN_TUNE:
        return Finding("in tune", "good")
    if size < SEMITONE / 2:
        return Finding(f"{size:.0f} cents {_sharp(cents)}", "fair" if size <= NEARLY else "poor")
    octaves, rest = round(size / OCTAVE), size - OCTAVE * round(size / OCTAVE)
    direction = "too high" if cents > 0 else "too low"
    if octaves and abs(rest) <= SEMITONE / 2:
        return Finding(f"{_octaves(octaves)} {direction}", "poor")
    semitones = round(size / SEMITONE)
    return Finding(f"{'a semitone' if semitones == 1 else f'{semitones} semitones'} {direction}", "poor")


def loudness(difference: float | None) -> Finding:
    """How loud a candidate is: LU by which it exceeds the target."""
    if difference is None:
        return Finding("loudness unknown", "none")
    size = abs(difference)
    if difference <= INAUDIBLE_LU:
        return Finding("next to silent", "poor")
    if size < AS_LOUD:
        return Finding("as loud", "good")
    direction = "louder" if difference > 0 else "quieter"
    if size < LITTLE_LOUDER:
        return Finding(f"a little {direction} ({size:.1f} LU)", "fair")
    if size < CLEARLY_LOUDER:
        return Finding(f"clearly {direction} ({size:.1f} LU)", "poor")
    return Finding(f"much {direction} ({size:.0f} LU)", "poor")


def brightness(octaves: float) -> Finding:
    """How bright a candidate is: octaves by which the centre of its spectrum lies above the target's."""
    if abs(octaves) < AS_BRIGHT:
        return Finding("as bright", "good")
    direction = "brighter" if octaves > 0 else "darker"
    if abs(octaves) < LITTLE_BRIGHTER:
        return Finding(f"a little {direction}", "fair")
    return Finding(f"clearly {direction}", "poor")


def onset(target: float, candidate: float) -> Finding:
    """How a candidate sets in: attack times of target and candidate in seconds."""
    if abs(candidate - target) < max(0.015, 0.3 * target):
        return Finding("sets in alike", "good")
    grade: Grade = "fair" if abs(candidate - target) < 0.1 else "poor"
    return Finding("sets in more slowly" if candidate > target else "sets in faster", grade)


def ending(target: float, candidate: float) -> Finding:
    """How long a candidate rings: seconds after which target and candidate have died down."""
    change = candidate - target
    if abs(change) < max(0.05, 0.08 * target):
        return Finding("rings as long", "good")
    grade: Grade = "fair" if abs(change) < 0.3 * target else "poor"
    return Finding(f"rings {seconds(abs(change))} {'longer' if change > 0 else 'shorter'}", grade)


def part(name: str, decibels: float) -> Finding:
    """How far apart two sounds are in one of `PARTS`."""
    step = level(decibels)
    words = ("alike", "very close", "close", "some way off", "far off")[LEVELS.index(step)]
    return Finding(words, step.grade)


def farthest_part(parts: Mapping[str, float]) -> str | None:
    """The one of `PARTS` that is the farthest off, within a sentence; None where none stands out."""
    ranked = sorted((parts[name], name) for name in PARTS if name in parts)
    if len(ranked) < 2 or ranked[-1][0] < 1.15 * ranked[-2][0] or ranked[-1][0] <= LEVELS[0].limit:
        return None
    return PARTS[ranked[-1][1]][1]


def verdict(
    distance: float, parts: Mapping[str, float], cents: float | None, louder: float | None, *, target_pitched: bool
) -> str:
    """One or two honest sentences on a candidate, the worst news last.

    Args:
        distance: The objective in dB.
        parts: The objective's parts in dB.
        cents: As for `tuning`.
        louder: As for `loudness`.
        target_pitched: Whether the target has a clear pitch, which the candidate should then have too.
    """
    if louder is not None and louder <= INAUDIBLE_LU:
        return "This patch is next to silent."
    said = [level(distance).sentence]
    where = farthest_part(parts)
    if where:
        said.append(f"The largest difference is in {where}.")
    if cents is not None and tuning(cents).grade == "poor":
        said.append(f"It sounds {tuning(cents).words}.")
    if cents is None and target_pitched:
        said.append("It has no clear pitch, although the recording has one.")
    return " ".join(said)


def played(note: Note) -> str:
    """A note as it is played: ``C4, velocity 100, held 1.5 s``."""
    return f"{pitch_name(note.pitch)}, velocity {note.velocity}, held {seconds(note.duration)}"


def seconds(value: float) -> str:
    """A duration: ``80 ms``, ``1.5 s``, ``2 min 5 s``."""
    if value < 0.0995:
        return f"{1000 * value:.0f} ms"
    if value < 9.95:
        return f"{value:.2f}".rstrip("0").rstrip(".") + " s"
    if round(value) < 60:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def decibels(value: float) -> str:
    """A distance: ``2.1 dB``."""
    return f"{value:.1f} dB" if value >= 0.05 or value == 0.0 else "under 0.1 dB"


def frequency(value: float) -> str:
    """A frequency: ``261.6 Hz``, ``4.2 kHz``."""
    return f"{value:.1f} Hz" if value < 1000 else f"{value / 1000:.4g} kHz"


def metric_value(value: float | None, unit: str, *, signed: bool) -> str:
    """A value of the panel: ``+12 cents``; a dash where the metric does not apply."""
    if value is None:
        return "–"
    number = f"{value:+.3g}" if signed and abs(value) >= 0.005 else f"{value:.3g}"
    if abs(value) >= 1000:
        number = f"{value:+.0f}" if signed else f"{value:.0f}"
    if abs(value) < 0.005:
        number = "0"
    return f"{number} {unit}".strip().replace("-", "−")


def sentence(remark: str) -> str:
    """A remark with a capital and a full stop."""
    text = remark.strip()
    return (text[:1].upper() + text[1:]).rstrip(".") + "." if text else ""


def _sharp(cents: float) -> str:
    return "sharp" if cents > 0 else "flat"


def _octaves(count: int) -> str:
    return _COUNTS[count] if count < len(_COUNTS) else f"{count} octaves"
