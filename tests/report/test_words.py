import math
from itertools import pairwise

import pytest

from wav2patch.notes import Note
from wav2patch.report import words


@pytest.mark.parametrize(
    ("distance", "name"),
    [
        (0.0, "Hard to tell apart"),
        (1.0, "Hard to tell apart"),
        (1.04, "Hard to tell apart"),  # shown as 1.0
        (1.06, "Very close"),
        (2.5, "Very close"),
        (2.6, "Same family"),
        (5.0, "Same family"),
        (5.1, "Loosely alike"),
        (9.0, "Loosely alike"),
        (9.1, "A different sound"),
        (60.0, "A different sound"),
    ],
)
def test_a_distance_has_one_level(distance: float, name: str) -> None:
    assert words.level(distance).name == name


def test_the_meter_falls_steadily_and_every_level_takes_an_equal_part() -> None:
    places = [words.closeness(d / 10) for d in range(300)]
    assert places[0] == 1.0
    assert places[-1] == 0.0
    assert all(later <= earlier for earlier, later in pairwise(places))
    for i, step in enumerate(words.LEVELS[:-1], start=1):
        assert words.closeness(step.limit) == pytest.approx(1 - i / len(words.LEVELS))


@pytest.mark.parametrize(
    ("cents", "said", "grade"),
    [
        (0.0, "in tune", "good"),
        (-6.0, "in tune", "good"),
        (12.0, "12 cents sharp", "fair"),
        (-12.0, "12 cents flat", "fair"),
        (49.0, "49 cents sharp", "poor"),
        (60.0, "a semitone too high", "poor"),
        (-100.0, "a semitone too low", "poor"),
        (-310.0, "3 semitones too low", "poor"),
        (1140.0, "11 semitones too high", "poor"),
        (1200.0, "an octave too high", "poor"),
        (-1188.0, "an octave too low", "poor"),
        (-2400.0, "two octaves too low", "poor"),
        (7200.0, "6 octaves too high", "poor"),
        (1900.0, "19 semitones too high", "poor"),
        (None, "no clear pitch to compare", "none"),
    ],
)
def test_tuning(cents: float | None, said: str, grade: str) -> None:
    assert words.tuning(cents) == words.Finding(said, grade)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("difference", "said", "grade"),
    [
        (0.0, "as loud", "good"),
        (-0.9, "as loud", "good"),
        (1.5, "a little louder (1.5 LU)", "fair"),
        (-4.0, "clearly quieter (4.0 LU)", "poor"),
        (11.6, "much louder (12 LU)", "poor"),
        (-56.0, "next to silent", "poor"),
        (None, "loudness unknown", "none"),
    ],
)
def test_loudness(difference: float | None, said: str, grade: str) -> None:
    assert words.loudness(difference) == words.Finding(said, grade)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (words.brightness(0.05), "as bright"),
        (words.brightness(-0.2), "a little darker"),
        (words.brightness(1.0), "clearly brighter"),
        (words.onset(0.005, 0.010), "sets in alike"),
        (words.onset(0.005, 0.08), "sets in more slowly"),
        (words.onset(0.3, 0.05), "sets in faster"),
        (words.ending(2.0, 2.1), "rings as long"),
        (words.ending(2.0, 1.5), "rings 0.5 s shorter"),
        (words.ending(0.2, 1.0), "rings 0.8 s longer"),
        (words.part("spectrum", 0.3), "alike"),
        (words.part("spectrum", 20.0), "far off"),
    ],
)
def test_other_findings(found: words.Finding, said: str) -> None:
    assert found.words == said


PARTS = {"spectrum": 3.0, "magnitude": 3.0, "envelope": 3.0}


def test_the_verdict_names_the_part_that_stands_out_and_only_then() -> None:
    assert words.verdict(3.0, PARTS, 0.0, 0.0, target_pitched=True) == words.level(3.0).sentence
    said = words.verdict(3.0, PARTS | {"envelope": 6.0}, 0.0, 0.0, target_pitched=True)
    assert said.endswith("The largest difference is in how the loudness rises and falls.")
    near = {"spectrum": 0.1, "magnitude": 0.1, "envelope": 0.9}
    assert "largest" not in words.verdict(0.3, near, 0.0, 0.0, target_pitched=True)


def test_the_verdict_warns_of_wrong_pitch_missing_pitch_and_silence() -> None:
    assert "It sounds an octave too low." in words.verdict(2.0, PARTS, -1200.0, 0.0, target_pitched=True)
    assert "no clear pitch" in words.verdict(2.0, PARTS, None, 0.0, target_pitched=True)
    assert "pitch" not in words.verdict(2.0, PARTS, None, 0.0, target_pitched=False)
    assert words.verdict(22.0, PARTS, None, -56.0, target_pitched=True) == "This patch is next to silent."


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0 ms"),
        (0.0804, "80 ms"),
        (0.0999, "0.1 s"),
        (1.5, "1.5 s"),
        (2.0, "2 s"),
        (9.99, "10 s"),
        (59.4, "59 s"),
        (59.7, "1 min"),
        (125.0, "2 min 5 s"),
    ],
)
def test_seconds(value: float, said: str) -> None:
    assert words.seconds(value) == said


@pytest.mark.parametrize(
    ("value", "unit", "signed", "said"),
    [
        (None, "cents", True, "–"),
        (12.34, "cents", True, "+12.3 cents"),
        (-1234.0, "cents", True, "−1234 cents"),
        (0.0, "cents", True, "0 cents"),
        (0.98765, "", False, "0.988"),
        (1e-9, "dB", False, "0 dB"),
    ],
)
def test_metric_values(value: float | None, unit: str, signed: bool, said: str) -> None:
    assert words.metric_value(value, unit, signed=signed) == said


def test_small_phrases() -> None:
    assert words.played(Note(60, 100, 0.0, 1.5)) == "C4, velocity 100, held 1.5 s"
    assert words.frequency(261.63) == "261.6 Hz"
    assert words.frequency(4186.0) == "4.186 kHz"
    assert words.decibels(2.14) == "2.1 dB"
    assert words.decibels(0.01) == "under 0.1 dB"
    assert words.sentence("no pitch found") == "No pitch found."
    assert words.level(math.inf).name == "A different sound"
