"""Writing shards: files of rendered clips, each whole or absent.

One clip is one chunk, compressed by Blosc2-zstd with bit shuffling where it was rendered, so that the one process
that writes a file only copies bytes. What is small (parameters, notes, numbers) is stored plainly. All of it carries
checksums (HDF5's Fletcher-32), so that whoever reads a damaged row is told, whatever they read it with.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.recipes.recipe import Recipe
from wav2patch.datasets.shards.layout import FORMAT, Field, Row, plain_fields
from wav2patch.datasets.shards.patient_file import PatientFile

_PLAIN_ROWS = 64


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
