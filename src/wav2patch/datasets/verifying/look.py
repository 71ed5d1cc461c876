"""A close look at some rows of a shard, in the process that reads them: is everything there, and does it agree?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.recipes.plan import Plan
from wav2patch.datasets.shards.layout import AUDIO, FEATURES
from wav2patch.datasets.shards.listen import Heard, Listen
from wav2patch.datasets.shards.open_shards import OpenShards
from wav2patch.datasets.shards.shard import Shard
from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.parameters import ParameterSpace

_LOUDNESS_SLACK = 1e-3
"""LU by which two machines may differ in measuring one clip."""


@dataclass(frozen=True)
class Piece:
    """Rows of a shard that are looked at in one go.

    Attributes:
        path: Of the shard, relative.
        rows: Numbers in the shard.
        clips: Those whose clips are read, and whose draws are made again.
    """

    path: str
    rows: range
    clips: tuple[int, ...]


@dataclass(frozen=True)
class Fault:
    """Something that is wrong with a file.

    Attributes:
        path: Of the file, relative.
        what: A sentence.
        row: Number in the shard; None if it is the file as a whole.
    """

    path: str
    what: str
    row: int | None = None


@dataclass(frozen=True)
class Seen:
    """What was found in a piece.

    Attributes:
        rows: Rows whose parameters, notes and numbers are good.
        clips: Clips that were read whole.
        drawn: Draws that were made again.
        faults: What is wrong.
        drawn_otherwise: Indices of rows that are not what (seed, index, attempt) gives.
    """

    rows: int = 0
    clips: int = 0
    drawn: int = 0
    faults: tuple[Fault, ...] = ()
    drawn_otherwise: tuple[int, ...] = ()


@dataclass(frozen=True)
class Look:
    """Looks at pieces of a data set.

    Attributes:
        shards: Of the set.
        space: Of its synth; None if it is not known here.
        plan: For the draws; None if they cannot be made here.
        listen: What made features and loudness out of a clip.
    """

    shards: OpenShards
    space: ParameterSpace | None
    plan: Plan | None
    listen: Listen

    def __call__(self, piece: Piece) -> Seen:
        """Look at a piece; what is wrong is found, not raised."""
        try:
            shard = self.shards[piece.path]
            if piece.rows.stop > len(shard):
                raise UserError(f"{self.shards.name(piece.path)} has {len(shard)} rows, fewer than are wanted of it.")
            good, plain = _look_at_plain(shard, piece, self.space)
        except UserError as error:
            return Seen(faults=(Fault(piece.path, str(error)),))
        faults = [Fault(piece.path, what, row) for row, what in plain]
        read = 0
        for row in piece.clips:
            found = [Fault(piece.path, what, row) for what in self._look_at_clip(shard, row)]
            faults += found
            read += not found
        drawn = piece.clips if self.plan else ()
        otherwise = () if faults else tuple(shard.first + row for row in drawn if not same_draw(self.plan, shard, row))
        return Seen(good, read, len(drawn), tuple(faults), otherwise)

    def _look_at_clip(self, shard: Shard, row: int) -> Iterator[str]:
        """What is wrong with the clip of a row."""
        try:
            stored = {name: shard.read(name, row) for name, one in shard.fields.items() if one.packed}
            loudness = float(shard.read("loudness", row))
        except UserError as error:
            yield str(error)
            return
        if bad := [name for name, values in stored.items() if not np.isfinite(values).all()]:
            yield f"{bad[0]} of row {row} is not finite."
        elif AUDIO in stored:
            heard = self.listen(stored[AUDIO].astype(np.float32))
            yield from _compare(heard, stored, loudness, row)


def same_draw(plan: Plan | None, shard: Shard, row: int) -> bool:
    """Whether a row's parameters and note are what its index and attempt give."""
    assert plan is not None
    patch, note = plan.draw(shard.first + row, int(shard.read("attempt", row)))
    return np.array_equal(plan.synth.space.encode(patch), shard.read("parameters", row)) and np.array_equal(
        _columns(note), shard.read("notes", row)
    )


def _columns(note: Note) -> NDArray[np.float64]:
    return np.array([note.pitch, note.velocity, note.onset, note.duration], dtype=np.float64)


def _compare(heard: object, stored: dict[str, NDArray[np.float16]], loudness: float, row: int) -> Iterator[str]:
    assert isinstance(heard, Heard)
    if not abs(heard.loudness - loudness) <= _LOUDNESS_SLACK:
        yield f"row {row} is said to have {loudness:.2f} LUFS, and its clip has {heard.loudness:.2f}."
    for name, again in heard.clips.items():
        if name.startswith(FEATURES) and not _equal_halves(stored[name], again):
            apart = float(np.abs(stored[name].astype(np.float32) - again.astype(np.float32)).max())
            yield f"{name} of row {row} is not what its clip gives: they differ by up to {apart:.3g}."


def _equal_halves(one: NDArray[np.float16], other: NDArray[np.float16]) -> bool:
    """Whether halves are equal, but for the last digit: processors differ in how they round a Fourier transform."""
    if one.shape != other.shape:
        return False
    if np.array_equal(one.view(np.uint16), other.view(np.uint16)):
        return True
    apart = np.abs(one.astype(np.float32) - other.astype(np.float32))
    return bool((apart <= np.maximum(np.spacing(np.abs(one)), np.spacing(np.abs(other)))).all())


def _look_at_plain(
    shard: Shard, piece: Piece, space: ParameterSpace | None
) -> tuple[int, list[tuple[int | None, str]]]:
    """How many rows have good parameters, notes and numbers, and what is wrong; UserError if they cannot be read."""
    first, stop = piece.rows.start, piece.rows.stop
    columns = {name: shard.read_slice(name, first, stop) for name, one in shard.fields.items() if not one.packed}
    gate = -np.inf if shard.recipe.gate is None else np.float32(shard.recipe.gate)
    checks = {
        "index is not its place in the set": columns["index"] == shard.first + np.arange(first, stop),
        "attempt is no number of a draw": columns["attempt"] >= 0,
        "loudness lies below the gate": np.isfinite(columns["loudness"]) & (columns["loudness"] >= gate),
        "note cannot be played": _playable(columns["notes"]),
        "parameters are no patch of the synth": _are_parameters(space, columns["parameters"]),
    }
    faults: list[tuple[int | None, str]] = []
    for what, good in checks.items():
        if not good.all():
            row, more = first + int((~good).argmax()), int((~good).sum()) - 1
            faults.append((row, f"in row {row}{f' and {more} more' if more else ''}, the {what}."))
    if len(piece.rows) == len(shard) and columns["attempt"].sum() != sum(shard.rejected.values()):
        faults.append((None, "it counts other rejections than its rows do."))
    return int(np.logical_and.reduce(list(checks.values())).sum()), faults


def _playable(notes: NDArray[np.float64]) -> NDArray[np.bool_]:
    pitch, velocity, onset, duration = notes.T
    keys = (pitch >= 0) & (pitch <= 127) & (velocity >= 1) & (velocity <= 127)
    return keys & (onset >= 0) & (duration > 0) & np.isfinite(notes).all(axis=1)


def _are_parameters(space: ParameterSpace | None, encodings: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which encodings are those of a patch: in range, and the same once they were decoded and encoded again."""
    good = np.logical_and.reduce((encodings >= 0) & (encodings <= 1), axis=1)
    if space is not None and good.any():
        good[good] = (space.encode(space.decode(encodings[good])) == encodings[good]).all(axis=1)
    return good
