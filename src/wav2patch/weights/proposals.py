"""From the vectors that a model gives to patches, and to notes where it predicts them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.errors import UserError
from wav2patch.note_rules import NOTE_WIDTH, PaperNotes, parse_notes
from wav2patch.notes import Note
from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.weights.record import Record


@dataclass(frozen=True, eq=False)
class Proposals:
    """What a model proposes for one sound.

    Attributes:
        patches: ``(n, P)``, in the synth's own units.
        notes: The note that goes with each; None of a model that does not predict notes.
    """

    patches: Patch
    notes: tuple[Note, ...] | None = None


def decode(record: Record, space: ParameterSpace, vectors: NDArray[np.floating]) -> Proposals:
    """The proposals that vectors ``(n, D)`` in [0, 1] stand for.

    Raises:
        UserError: The record's notes are not those of a model that predicts them.
        ValueError: The vectors have another width, or a number is not finite.
    """
    if record.note != "predicted":
        return Proposals(space.decode(vectors))
    rule = parse_notes(record.notes)
    if not isinstance(rule, PaperNotes):
        raise UserError(f"a model predicts notes drawn by the rule 'paper', not by {record.notes!r}.")
    notes = tuple(rule.decode(one) for one in vectors[:, -NOTE_WIDTH:])
    return Proposals(space.decode(vectors[:, :-NOTE_WIDTH]), notes)


def told_note(record: Record, note: Note | None) -> NDArray[np.float32] | None:
    """Pitch, velocity, onset and duration ``(4,)`` for a model that is told the note; None for any other.

    Raises:
        UserError: The model is told the note, and there is none.
    """
    if record.note != "given":
        return None
    if note is None:
        raise UserError("this model has to be told the note that was played: give its pitch.")
    return np.array([note.pitch, note.velocity, note.onset, note.duration], dtype=np.float32)
