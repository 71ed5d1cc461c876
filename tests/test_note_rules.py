from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wav2patch.note_rules import NOTE_WIDTH, FixedNote, PaperNotes
from wav2patch.notes import Note


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


def test_a_note_depends_on_seed_index_and_attempt_alone() -> None:
    rule = PaperNotes()
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
