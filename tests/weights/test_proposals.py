from __future__ import annotations

import numpy as np
import pytest
from tiny_models import TINY, tiny_record

from wav2patch.errors import UserError
from wav2patch.note_rules import PaperNotes
from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.synths.base import Synth
from wav2patch.weights.proposals import decode, told_note


def test_vectors_become_patches(dexed: Synth) -> None:
    patches = np.stack([draw(dexed.prior(), 1, i) for i in range(3)])
    found = decode(tiny_record(TINY["flow"], dexed), dexed.space, dexed.space.encode(patches))
    np.testing.assert_array_equal(found.patches, patches)
    assert found.notes is None


def test_predicted_notes_come_along(dexed: Synth) -> None:
    patch, rule = draw(dexed.prior(), 1, 0), PaperNotes(length=0.5)
    notes = [rule.draw(3, i) for i in range(4)]
    vectors = np.stack([np.concatenate([dexed.space.encode(patch), rule.encode(note)]) for note in notes])
    found = decode(tiny_record(TINY["flow"], dexed, note="predicted"), dexed.space, vectors)
    np.testing.assert_array_equal(found.patches, np.stack([patch] * 4))
    assert found.notes is not None
    for note, wanted in zip(found.notes, notes, strict=True):
        assert note.pitch == wanted.pitch
        assert note.onset == pytest.approx(wanted.onset, abs=1e-6)
        assert note.duration == pytest.approx(max(wanted.duration, 1e-3), abs=1e-6)


def test_only_notes_of_the_paper_are_predicted(dexed: Synth) -> None:
    record = tiny_record(TINY["flow"], dexed, note="predicted", notes="wide")
    with pytest.raises(UserError, match="paper"):
        decode(record, dexed.space, np.zeros((1, dexed.space.width + 3)))


def test_only_a_model_that_is_told_gets_the_note() -> None:
    note = Note(61, 90, 0.25, 1.5)
    told = told_note(tiny_record(TINY["flow"]), note)
    assert told is not None
    assert told.tolist() == [61.0, 90.0, 0.25, 1.5]
    assert told_note(tiny_record(TINY["flow"], note="none"), note) is None
    with pytest.raises(UserError, match="told the note"):
        told_note(tiny_record(TINY["flow"]), None)
