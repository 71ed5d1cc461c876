"""Shards, opened to be read."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import hdf5plugin  # noqa: F401 - HDF5 finds the decompressor by it
import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.recipes.recipe import read_recipe
from wav2patch.datasets.shards.layout import FORMAT, Field, field_names, packed_names
from wav2patch.errors import UserError


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
        packed = packed_names(self.recipe)
        self.fields = {
            name: Field(one.shape[1:], one.dtype.name, name in packed) for name, one in self._datasets.items()
        }
        if missing := [name for name in sorted(field_names(self.recipe)) if name not in self.fields]:
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
        one = self.fields[field]
        into: NDArray[Any] = np.empty(one.shape, dtype=one.dtype) if out is None else out
        self._read(field, into[None], row, row + 1)
        return into

    def read_slice(self, field: str, start: int, stop: int) -> NDArray[Any]:
        """Rows of a field that lie side by side, ``(stop - start, …)``; raises as `read` does."""
        one = self.fields[field]
        out = np.empty((stop - start, *one.shape), dtype=one.dtype)
        if len(out):
            self._read(field, out, start, stop)
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

    def _read(self, field: str, out: NDArray[Any], start: int, stop: int) -> None:
        if not 0 <= start < stop <= self._rows:
            raise IndexError(f"{self._name} has no rows {start} to {stop}")
        try:
            # h5py's own indexing takes longer than small rows do.
            stored = self._datasets[field].id
            space = stored.get_space()
            space.select_hyperslab((start, *[0] * (out.ndim - 1)), out.shape)
            stored.read(h5py.h5s.create_simple(out.shape), space, out)
        except (OSError, RuntimeError) as error:
            raise UserError(f"{self._name} is damaged: {field} of row {start} cannot be read.") from error


def _datasets(file: h5py.File) -> dict[str, Any]:
    found: dict[str, Any] = {}
    file.visititems(lambda name, item: found.update({name: item}) if isinstance(item, h5py.Dataset) else None)
    return found


def _first_line(error: Exception) -> str:
    return (str(error).strip("'\" ") or type(error).__name__).splitlines()[0].rstrip(".")
