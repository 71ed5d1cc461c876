"""Shards: files of rendered clips, each whole or absent.

One clip is one chunk, compressed by Blosc2-zstd with bit shuffling where it was rendered, so that the one process
that writes a file only copies bytes. What is small (parameters, notes, numbers) is stored plainly. All of it carries
checksums (HDF5's Fletcher-32), so that whoever reads a damaged row is told, whatever they read it with.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.recipes.recipe import Recipe, read_recipe
from wav2patch.datasets.shards.patient_file import PatientFile
from wav2patch.errors import UserError

FORMAT = "wav2patch-shard-1"
AUDIO = "audio"
FEATURES = "features/"
NOTE_COLUMNS = ("pitch", "velocity", "onset", "duration")

_PLAIN_ROWS = 64


@dataclass(frozen=True)
class Field:
    """One of the arrays of a shard.

    Attributes:
        shape: Of one row.
        dtype: Name of the NumPy type.
        packed: Whether it is compressed, a chunk a row.
    """

    shape: tuple[int, ...]
    dtype: str
    packed: bool = False


@dataclass(frozen=True)
class Row:
    """One row of a data set.

    Attributes:
        index: Its number i.
        attempt: Which draw was kept.
        parameters: Encoding ``(D,)`` of the patch, float32.
        note: Pitch, velocity, onset and duration.
        loudness: In LUFS.
        clips: The packed fields: audio and features, as arrays or as chunks from `pack`.
        rejected: Why earlier draws were rejected.
    """

    index: int
    attempt: int
    parameters: NDArray[np.float32]
    note: tuple[float, float, float, float]
    loudness: float
    clips: Mapping[str, Any]
    rejected: tuple[str, ...] = ()


def plain_fields(recipe: Recipe) -> dict[str, Field]:
    """The fields that are stored plainly, by name."""
    return {
        "parameters": Field((len(recipe.parameters),), "float32"),
        "notes": Field((len(NOTE_COLUMNS),), "float64"),
        "index": Field((), "int64"),
        "attempt": Field((), "int32"),
        "loudness": Field((), "float32"),
    }


def packed_fields(recipe: Recipe, feature_shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Field]:
    """The fields that are compressed, by name; `feature_shapes` are those of the recipe's features."""
    audio = {AUDIO: Field((recipe.channels, recipe.samples), "float16", packed=True)} if recipe.audio != "none" else {}
    return audio | {FEATURES + name: Field(feature_shapes[name], "float16", packed=True) for name in recipe.features}


def field_names(recipe: Recipe) -> set[str]:
    """Names of all fields of a data set."""
    audio = {AUDIO} if recipe.audio != "none" else set()
    return plain_fields(recipe).keys() | audio | {FEATURES + name for name in recipe.features}


def pack(clips: Mapping[str, NDArray[Any]]) -> dict[str, bytes]:
    """A row's arrays as the bytes of their chunks, the same for the same arrays."""
    # Several threads compress to other bytes every time, and workers have one core each.
    os.environ.setdefault("BLOSC_NTHREADS", "1")
    # HDF5 takes files of one name for the same, even in memory.
    name = f"packing-{threading.get_ident()}"
    with h5py.File(name, "w", driver="core", backing_store=False) as file:
        datasets = {
            name: _packed_dataset(file, name, 1, Field(clip.shape, clip.dtype.name)) for name, clip in clips.items()
        }
        for name, clip in clips.items():
            datasets[name][0] = clip
        file.flush()
        return {name: _chunk(dataset) for name, dataset in datasets.items()}


class ShardWriter:
    """Writes one shard, row after row; the file counts once `finish` was called.

    Args:
        path: Where to write; not the final name.
        recipe: Of the data set.
        fields: The packed fields, by name.
        rows: Indices of the rows.
    """

    def __init__(self, path: Path, recipe: Recipe, fields: Mapping[str, Field], rows: range) -> None:
        self.path, self.rows = path, rows
        self._next = 0
        self._rejected: dict[str, int] = {}
        self._plain = {
            name: np.zeros((len(rows), *one.shape), dtype=one.dtype) for name, one in plain_fields(recipe).items()
        }
        self._disk = PatientFile(path)
        self._file = h5py.File(self._disk, "w", libver="latest")
        self._packed = {name: _packed_dataset(self._file, name, len(rows), one) for name, one in fields.items()}
        self._file.attrs["format"] = FORMAT
        self._file.attrs["recipe"] = recipe.to_json()
        self._file.attrs["first"] = rows.start
        self._file.attrs["rows"] = len(rows)

    def write(self, row: Row) -> None:
        """Write the next row, whose clips are chunks from `pack`.

        Raises:
            ValueError: It is not the next one.
            OSError: The disk refuses it.
        """
        if row.index != self.rows.start + self._next:
            raise ValueError(f"row {row.index} comes where row {self.rows.start + self._next} belongs")
        place, self._next = self._next, self._next + 1
        for name, dataset in self._packed.items():
            dataset.id.write_direct_chunk((place, *[0] * (dataset.ndim - 1)), row.clips[name])
        self._disk.check()
        values = (row.parameters, row.note, row.index, row.attempt, row.loudness)
        for name, value in zip(self._plain, values, strict=True):
            self._plain[name][place] = value
        for reason in row.rejected:
            self._rejected[reason] = self._rejected.get(reason, 0) + 1

    @property
    def full(self) -> bool:
        """Whether every row is there."""
        return self._next == len(self.rows)

    def finish(self) -> None:
        """Write what is left and close the file.

        Raises:
            ValueError: Rows are missing.
            OSError: The disk refuses it.
        """
        if not self.full:
            raise ValueError(f"{len(self.rows) - self._next} rows are missing")
        for name, values in self._plain.items():
            chunks = (min(_PLAIN_ROWS, len(self.rows)), *values.shape[1:])
            self._file.create_dataset(name, data=values, chunks=chunks, fletcher32=True, track_times=False)
        self._file.attrs["rejected"] = json.dumps(self._rejected, sort_keys=True)
        self.close()
        self._disk.check()

    def close(self) -> None:
        """Close the file, full or not."""
        self._file.close()
        self._disk.close()


class Shard:
    """A shard, opened to be read.

    Attributes:
        path: Of the file.
        recipe: Of the data set.
        first: Index of its first row.
        rejected: Number of draws that were rejected, by reason.
        fields: Its arrays, by name.

    Raises:
        UserError: The file is missing, damaged, or no shard.
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.path, self._name = path, name or str(path)
        try:
            # A network drive may have no locks. Chunks are read once, so that HDF5's cache of them would be in the way:
            # 17 MB for every open shard.
            self._file = h5py.File(path, "r", locking="best-effort", rdcc_nbytes=0)
        except FileNotFoundError:
            raise UserError(f"there is no shard {self._name}.") from None
        except OSError as error:
            raise UserError(f"{self._name} is damaged or no HDF5 file: {_first_line(error)}.") from error
        try:
            self._open()
        except BaseException:
            self._file.close()
            raise

    def _open(self) -> None:
        attributes: Any = self._file.attrs
        if attributes.get("format") != FORMAT:
            raise UserError(f"{self._name} is no shard of a wav2patch data set, or of another version of it.")
        try:
            self.recipe = read_recipe(attributes["recipe"], self._name)
            self.first, self._rows = int(attributes["first"]), int(attributes["rows"])
            self.rejected: dict[str, int] = json.loads(attributes["rejected"])
            self._datasets = _datasets(self._file)
        except (KeyError, ValueError, TypeError, OSError, RuntimeError) as error:
            raise UserError(f"{self._name} is damaged: {_first_line(error)}.") from error
        if short := [name for name, one in self._datasets.items() if one.shape[:1] != (self._rows,)]:
            raise UserError(f"{self._name} is damaged: its {short[0]} does not have {self._rows} rows.")
        self.fields = {
            name: Field(one.shape[1:], one.dtype.name, name == AUDIO or name.startswith(FEATURES))
            for name, one in self._datasets.items()
        }
        if missing := sorted(field_names(self.recipe) - self.fields.keys()):
            raise UserError(f"{self._name} is damaged: it has no {missing[0]}.")

    def __len__(self) -> int:
        return self._rows

    def read(self, field: str, row: int, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """One row of a field, ``(…)``.

        Args:
            field: Its name.
            row: Number of the row within the shard.
            out: Where to read it to, C-contiguous, of the field's shape and type.

        Raises:
            UserError: The row cannot be read: the file is damaged.
            KeyError: There is no such field.
        """
        dataset = self._datasets[field]
        into: NDArray[Any] = np.empty(dataset.shape[1:], dtype=dataset.dtype) if out is None else out
        self._read(field, dataset, into[None], row, row + 1)
        return into

    def read_slice(self, field: str, start: int, stop: int) -> NDArray[Any]:
        """Rows of a field that lie side by side, ``(stop - start, …)``; raises as `read` does."""
        dataset = self._datasets[field]
        out = np.empty((stop - start, *dataset.shape[1:]), dtype=dataset.dtype)
        if len(out):
            self._read(field, dataset, out, start, stop)
        return out

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Shard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, field: str, dataset: Any, out: NDArray[Any], start: int, stop: int) -> None:
        if not 0 <= start < stop <= self._rows:
            raise IndexError(f"{self._name} has no rows {start} to {stop}")
        try:
            dataset.read_direct(out, np.s_[start:stop])
        except (OSError, RuntimeError) as error:
            raise UserError(f"{self._name} is damaged: {field} of row {start} cannot be read.") from error


def _packed_dataset(file: h5py.File, name: str, rows: int, one: Field) -> Any:
    return file.create_dataset(
        name,
        shape=(rows, *one.shape),
        dtype=one.dtype,
        chunks=(1, *one.shape),
        track_times=False,
        fletcher32=True,
        **hdf5plugin.Blosc2(cname="zstd", clevel=1, filters=hdf5plugin.Blosc2.BITSHUFFLE),
    )


def _chunk(dataset: Any) -> bytes:
    mask, chunk = dataset.id.read_direct_chunk((0,) * dataset.ndim)
    if mask:
        raise ValueError("the compressor passed a clip on as it was")
    return bytes(chunk)


def _datasets(file: h5py.File) -> dict[str, Any]:
    found: dict[str, Any] = {}
    file.visititems(lambda name, item: found.update({name: item}) if isinstance(item, h5py.Dataset) else None)
    return found


def _first_line(error: Exception) -> str:
    return (str(error).strip("'\" ") or type(error).__name__).splitlines()[0].rstrip(".")
