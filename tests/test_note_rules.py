from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wav2patch.errors import UserError
from wav2patch.note_rules import NOTE_WIDTH, FixedNote, NoteRule, PaperNotes, WideNotes, parse_notes
from wav2patch.notes import Note

RULES = [PaperNotes(), WideNotes(), WideNotes(latest=2.0)]


def test_a_fixed_rule_always_gives_its_note() -> None:
    assert {FixedNote(Note(64)).draw(1, i) for i in range(5)} == {Note(64)}


def test_the_papers_notes_cover_two_octaves_and_four_seconds() -> None:
    rule = PaperNotes()
    notes = [rule.draw(3, i) for i in range(4000)]
    counts = np.bincount([note.pitch for note in notes], minlength=73)
    assert not counts[:48].any()
    # 160 are expected of each of the 25 keys, the highest among them; five standard deviations are 62.
    assert (np.abs(counts[48:] - 160) < 62).all()
    assert {note.velocity for note in notes} == {100}
    # The lesser and the greater of two uniform draws: means at a third and at two thirds.
    assert np.mean([note.onset for note in notes]) == pytest.approx(4 / 3, abs=0.08)
    assert np.mean([note.onset + note.duration for note in notes]) == pytest.approx(8 / 3, abs=0.08)
    assert max(note.onset + note.duration for note in notes) <= 4.0


def test_wide_notes_cover_keys_velocities_and_durations() -> None:
    notes = [WideNotes(latest=1.0).draw(3, i) for i in range(6000)]
    pitches = np.bincount([note.pitch for note in notes], minlength=97)
    velocities = np.bincount([note.velocity for note in notes], minlength=128)
    # 82 are expected of each of the 73 keys, 54 of each of the 112 velocities; five standard deviations are 45 and 37.
    assert not pitches[:24].any()
    assert (np.abs(pitches[24:] - 82) < 45).all()
    assert not velocities[:16].any()
    assert (np.abs(velocities[16:] - 54) < 37).all()
    durations = np.array([note.duration for note in notes])
    assert (durations.min() >= 0.1) & (durations.max() <= 3.0)
    assert np.median(durations) == pytest.approx(np.sqrt(0.1 * 3.0), rel=0.05)
    assert ((durations > 0.1) & (durations < 0.2)).mean() == pytest.approx(np.log(2) / np.log(30), abs=0.03)
    onsets = np.array([note.onset for note in notes])
    assert (onsets.min() >= 0) & (onsets.max() <= 1.0)
    assert onsets.mean() == pytest.approx(0.5, abs=0.02)
    traits = np.array([[note.pitch, note.velocity, note.onset, np.log(note.duration)] for note in notes])
    assert np.abs(np.corrcoef(traits.T) - np.eye(4)).max() < 0.06
    assert {WideNotes().draw(1, i).onset for i in range(20)} == {0.0}


def test_a_range_of_one_value_is_that_value() -> None:
    wide = WideNotes(low=60, high=60, softest=90, loudest=90, shortest=0.7, longest=0.7)
    assert {wide.draw(1, i) for i in range(20)} == {Note(60, 90, 0.0, 0.7)}
    paper = PaperNotes(low=60, high=60)
    assert paper.decode(paper.encode(paper.draw(1, 1))).pitch == 60


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_a_note_depends_on_seed_index_and_attempt_alone(rule: NoteRule) -> None:
    assert rule.draw(1, 2) == rule.draw(1, 2)
    assert len({rule.draw(s, i, a) for s in (1, 2) for i in (1, 2) for a in (0, 1)}) == 8


@given(st.integers(0, 2**31), st.integers(0, 2**31))
def test_encoding_brings_a_note_back(seed: int, index: int) -> None:
    rule = PaperNotes()
    note = rule.draw(seed, index)
    encoded = rule.encode(note)
    assert encoded.shape == (NOTE_WIDTH,)
    assert encoded.dtype == np.float32
    assert ((encoded >= 0) & (encoded <= 1)).all()
    back = rule.decode(encoded)
    assert back.pitch == note.pitch
    assert back.onset == pytest.approx(note.onset, abs=1e-6)
    assert back.onset + back.duration == pytest.approx(note.onset + note.duration, abs=1.001e-3)


@pytest.mark.parametrize("below", [0.0, 1e-4, 0.01])
def test_a_pitch_a_hair_below_its_key_is_that_key(below: float) -> None:
    encoded = np.array([12 / 24 - below, 0.2, 0.6], dtype=np.float32)
    assert PaperNotes().decode(encoded).pitch == 60


def test_any_finite_numbers_are_a_note() -> None:
    note = PaperNotes().decode(np.array([7.0, 0.9, -3.0]))
    assert (note.pitch, note.onset) == (72, 0.0)
    assert note.duration == pytest.approx(3.6)
    assert PaperNotes().decode(np.array([0.0, 1.0, 1.0])).duration == pytest.approx(1e-3)
    for wrong in (np.zeros(2), np.array([0.0, np.nan, 1.0])):
        with pytest.raises(ValueError, match="finite"):
            PaperNotes().decode(wrong)


@pytest.mark.parametrize("note", [Note(47), Note(60, onset=2.0, duration=3.0)])
def test_a_note_that_is_never_drawn_is_refused(note: Note) -> None:
    with pytest.raises(ValueError, match="outside"):
        PaperNotes().encode(note)


SECONDS = st.floats(1e-3, 60.0)
PITCHES = st.integers(0, 127)
VELOCITIES = st.integers(1, 127)


def ordered(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.tuples(values, values).map(sorted)


@st.composite
def rules(draw: st.DrawFn) -> NoteRule:
    (low, high), (softest, loudest) = draw(ordered(PITCHES)), draw(ordered(VELOCITIES))
    shortest, longest = draw(ordered(SECONDS))
    onset, velocity = draw(st.floats(0.0, 60.0)), draw(VELOCITIES)
    return draw(
        st.sampled_from(
            [
                FixedNote(Note(low, velocity, onset, longest)),
                PaperNotes(low, high, longest, velocity),
                WideNotes(low, high, softest, loudest, onset, shortest, longest),
            ]
        )
    )


@given(rules(), st.integers(0, 100))
def test_the_words_of_a_rule_give_it_back(rule: NoteRule, index: int) -> None:
    read = parse_notes(rule.words)
    assert read == rule
    assert read.words == rule.words
    assert read.draw(1, index) == rule.draw(1, index)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("C4", FixedNote(Note(60))),
        (" 57 ", FixedNote(Note(57))),
        ("F#2 duration=1.5 velocity=80", FixedNote(Note(42, 80, 0.0, 1.5))),
        ("fixed pitch=A4 onset=0.25", FixedNote(Note(69, onset=0.25))),
        ("fixed", FixedNote(Note())),
        ("paper", PaperNotes()),
        ("paper length=2 low=C3 high=C5", PaperNotes(48, 72, 2.0)),
        ("wide", WideNotes()),
        ("wide  latest=1  softest=1", WideNotes(latest=1.0, softest=1)),
    ],
)
def test_rules_are_read_from_words(words: str, rule: NoteRule) -> None:
    assert parse_notes(words) == rule


def test_the_words_name_every_field() -> None:
    assert parse_notes("paper").words == "paper low=48 high=72 length=4 velocity=100"
    assert parse_notes("64").words == "fixed pitch=64 velocity=100 onset=0 duration=3"
    assert parse_notes("wide").words == "wide low=24 high=96 softest=16 loudest=127 latest=0 shortest=0.1 longest=3"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "'' is no rule for notes: give a note such as C4 or 60, or fixed, paper or wide"),
        ("loud", "'loud' is no rule for notes"),
        ("128", "'128' is no rule for notes"),
        ("paper low", "paper takes no 'low': its options are low=…, high=…, length=…, velocity=…"),
        ("paper tempo=3", "paper takes no 'tempo=3'"),
        ("paper low=50 low=51", "takes low once"),
        ("paper low=H3", "'H3' is not a note"),
        ("paper velocity=1.5", "velocity takes a whole number, not '1.5'"),
        ("paper velocity=0", "a velocity is a whole number from 1 to 127.*not 0"),
        ("paper low=72 high=48", "a pitch is a whole number from 0 to 127, the lowest first, not 72 to 48"),
        ("paper length=0", "length is a number of seconds above 0, not 0"),
        ("wide softest=90 loudest=80", "the lowest first, not 90 to 80"),
        ("wide latest=-1", "the latest onset is 0 s or later, not -1 s"),
        ("wide shortest=2 longest=1", "the shortest duration, 2 s, is above the longest, 1 s"),
        ("wide shortest=0", "shortest is a number of seconds above 0, not 0"),
        ("wide longest=inf", "longest takes a number, not 'inf'"),
        ("fixed velocity=128", "velocity lies between 1 and 127, not 128"),
        ("fixed duration=0", "lasts longer than 0 s"),
        ("C4 onset=-1", "onset is 0 s or later"),
    ],
)
def test_words_that_are_no_rule_are_refused_in_a_sentence(words: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        parse_notes(words)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("wrong", [{"low": 60.5}, {"length": float("nan")}, {"velocity": 128}, {"high": 128}])
def test_rules_with_bad_ranges_cannot_be_made(wrong: dict) -> None:
    with pytest.raises(ValueError, match=r"whole number|above 0"):
        PaperNotes(**wrong)


@pytest.mark.parametrize(
    ("words", "canonical"),
    [
        ("paper", "paper low=48 high=72 length=2 velocity=100"),
        ("paper length=3", "paper low=48 high=72 length=3 velocity=100"),
        ("C4", "fixed pitch=60 velocity=100 onset=0 duration=1.5"),
        ("C4 duration=5", "fixed pitch=60 velocity=100 onset=0 duration=5"),
        ("wide low=30", "wide low=30 high=96 softest=16 loudest=127 latest=0 shortest=0.1 longest=1.5"),
    ],
)
def test_notes_fit_the_length_of_a_clip(words: str, canonical: str) -> None:
    assert parse_notes(words, length=2.0).words == canonical
