"""Views: some rows of a data set, wherever they lie in its shards, in one row of numbers from 0."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.recipes.recipe import MANIFEST, Recipe, read_manifest, shard_name
from wav2patch.datasets.shards.layout import Field
from wav2patch.datasets.shards.open_shards import OpenShards
from wav2patch.datasets.storage.addresses import RemoteAddress, parse_address
from wav2patch.datasets.storage.base import Storage, open_storage
from wav2patch.datasets.storage.local import LocalStorage
from wav2patch.datasets.views.view_file import Extent, read_view_file
from wav2patch.errors import UserError

ALL = "all"
VIEW_SUFFIX = ".h5"


def open_view(address: str | Path, *, cache: Path | None = None) -> View:
    """Open a view, or all rows of a data set. No shard is opened yet.

    Args:
        address: Of a view's file, or of the folder of a data set that is complete; local, or such as
            ``s3://bucket/set/train.h5``.
        cache: Folder for copies of remote files, instead of the usual one.

    Raises:
        UserError: There is neither a view nor a data set, it is damaged, or the set is unfinished.
    """
    place = parse_address(address)
    if isinstance(place, RemoteAddress):
        name = posixpath.basename(place.path)
        folder: str | Path = str(place.at("..")) if name.endswith(VIEW_SUFFIX) else str(place)
    else:
        name = place.name if place.suffix == VIEW_SUFFIX and not place.is_dir() else ""
        folder = place.parent if name else place
    storage = open_storage(folder, cache=cache)
    if not name.endswith(VIEW_SUFFIX):
        return open_all(storage)
    return open_view_in(storage, name, str(address))


def open_view_in(storage: Storage, name: str, address: str | None = None) -> View:
    """Open the view that a file in a folder is; raises as `open_view` does."""
    address = address or f"{storage.address}/{name}"
    if not storage.exists(name):
        raise UserError(f"there is no view {address}{_there_are(storage)}.")
    content = read_view_file(storage.local(name), address)
    return View(address, content.name, content.recipe, storage, content.extents, content.fields, content.remarks)


def find_view(place: str | Path, folder: str | Path | None, *, cache: Path | None = None) -> View:
    """The view of a name in a folder (``train`` is ``train.h5``), or at an address: see `is_address`.

    Raises:
        UserError: As `open_view`, or there is no folder to look in.
    """
    if is_address(place):
        return open_view(place, cache=cache)
    if folder is None:
        raise UserError(f"there is no view {place}: name the folder that it lies in, or give its address.")
    return open_view_in(open_storage(folder, cache=cache), f"{place}{VIEW_SUFFIX}")


def is_address(place: str | Path) -> bool:
    """Whether a place is an address, which ends in ``.h5`` or contains a slash, and no name."""
    return isinstance(place, Path) or place.endswith(VIEW_SUFFIX) or "/" in place


def open_all(storage: Storage) -> View:
    """All rows of a data set; raises as `open_view` does."""
    if not storage.exists(MANIFEST) and (views := _there_are(storage)):
        raise UserError(f"{storage.address} is no whole data set{views}.")
    recipe = read_manifest(storage)
    if missing := holes(storage, recipe):
        raise UserError(
            f"{storage.address} is unfinished: it lacks {len(missing)} of {recipe.shards} shards "
            f"({list_shards(missing)}); `wav2patch data generate out={storage.address}` finishes it."
        )
    extents = [Extent(shard_name(shard), 0, len(recipe.rows_of(shard))) for shard in range(recipe.shards)]
    return View(storage.address, ALL, recipe, storage, extents)


def holes(storage: Storage, recipe: Recipe) -> list[int]:
    """Numbers of the shards that a data set lacks."""
    there = set(storage.names(posixpath.dirname(shard_name(0))))
    return [shard for shard in range(recipe.shards) if posixpath.basename(shard_name(shard)) not in there]


class View:
    """Some rows of a data set, read in any order.

    It pickles; threads and forked processes may share it. Shards are opened where they are first read from, and a
    remote one is fetched then; some 64 stay open.

    Attributes:
        address: Of the view's file, or of the folder of a whole set.
        name: ``"train"``, …, or ``"all"``.
        recipe: Of the data set.
        extents: Where the rows lie.
        remarks: What else the view's file says about itself.
    """

    def __init__(
        self,
        address: str,
        name: str,
        recipe: Recipe,
        storage: Storage,
        extents: Iterable[Extent],
        fields: Mapping[str, Field] | None = None,
        remarks: Mapping[str, Any] | None = None,
    ) -> None:
        self.address, self.name, self.recipe, self.storage = address, name, recipe, storage
        self.extents = tuple(extents)
        self.remarks = dict(remarks or {})
        self._fields = dict(fields) if fields is not None else None
        sizes = np.array([extent.rows for extent in self.extents], dtype=np.int64)
        self._ends = np.cumsum(sizes)
        # Of a row in the view, what is added to its number to get the one in its shard.
        self._shifts = np.array([extent.first for extent in self.extents], dtype=np.int64) - (self._ends - sizes)
        self._shards = OpenShards(storage, recipe)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __repr__(self) -> str:
        return f"View({self.address!r}, {len(self)} rows)"

    @property
    def fields(self) -> Mapping[str, Field]:
        """What a row has, by name."""
        if self._fields is None:
            self._fields = self._shards[self.extents[0].path].fields
        return self._fields

    @property
    def paths(self) -> list[str]:
        """Relative paths of the shards, each once, in order."""
        return list(dict.fromkeys(extent.path for extent in self.extents))

    def read(self, field: str, rows: int | Sequence[int] | NDArray[np.integer[Any]] | slice) -> NDArray[Any]:
        """Read rows of a field, in the type that they are stored in.

        Args:
            field: Name, such as ``"audio"`` or ``"features/log_mel"``.
            rows: One row gives ``(…)``, several in any order or a slice give ``(n, …)``. Negative numbers count
                from the end.

        Raises:
            UserError: A shard is missing, damaged, or of another data set.
            KeyError: There is no such field.
            IndexError: There is no such row.
        """
        one = self.fields[field]
        if isinstance(rows, slice):
            wanted = range(len(self))[rows]
            if wanted.step == 1:
                return self._read_run(field, one, wanted)
            rows = wanted
        elif isinstance(rows, int | np.integer):
            return self.read_fields([field], [int(rows)])[field][0]
        return self.read_fields([field], rows)[field]

    def read_fields(
        self, fields: Sequence[str], rows: Sequence[int] | NDArray[np.integer[Any]]
    ) -> dict[str, NDArray[Any]]:
        """Several fields of rows in any order, each ``(n, …)``; raises as `read` does.

        Faster than one field after the other, as each shard is asked for once.
        """
        extents, numbers = self.locate(rows)
        if len(numbers) > 1 and rows[0] >= 0 and bool(np.all(np.diff(rows) == 1)):
            run = range(int(rows[0]), int(rows[-1]) + 1)
            return {name: self._read_run(name, self.fields[name], run) for name in fields}
        found = {name: self.fields[name] for name in fields}
        out = {name: np.empty((len(numbers), *one.shape), dtype=one.dtype) for name, one in found.items()}
        # In the order in which they lie, so that each shard is opened once however many there are.
        for place in np.lexsort((numbers, extents)):
            shard, number = self._shards[self.extents[extents[place]].path], int(numbers[place])
            for name, into in out.items():
                shard.read(name, number, into[place, ...])
        return out

    def locate(self, rows: Sequence[int] | NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where rows lie: the number of the extent of each, and its number in the shard.

        Raises:
            IndexError: There is no such row.
        """
        wanted = np.asarray(rows, dtype=np.int64)
        wanted = np.where(wanted < 0, wanted + len(self), wanted)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise IndexError(f"{self.address} has rows 0 to {len(self) - 1}")
        extents = np.searchsorted(self._ends, wanted, side="right")
        return extents, wanted + self._shifts[extents]

    def check(self, report: Callable[[int, int], None] = lambda done, of: None) -> None:
        """Make sure that every row can be read: that each shard is there, opens, and is what it ought to be.

        Of a remote data set this looks for the shards and fetches none; each is checked when it is.

        Args:
            report: Is told how many shards were looked at, of how many.

        Raises:
            UserError: Names the first one that is missing, truncated, foreign, or of another recipe.
        """
        if not len(self):
            raise UserError(f"{self.address} has no rows.")
        paths = self.paths
        self._check_present(paths)
        if not isinstance(self.storage, LocalStorage):
            return
        ends = {}
        for extent in self.extents:
            ends[extent.path] = max(ends.get(extent.path, 0), extent.first + extent.rows)
        for done, path in enumerate(paths, 1):
            with self._shards.check(path) as shard:
                if ends[path] > len(shard):
                    raise UserError(f"{self.address} wants rows of {self._shards.name(path)} that it does not have.")
                self._check_fields(path, shard.fields)
            report(done, len(paths))

    def close(self) -> None:
        """Close what is open; reading goes on all the same."""
        self._shards.close()

    def _check_present(self, paths: Sequence[str]) -> None:
        there: dict[str, set[str]] = {}
        for path in paths:
            folder, name = posixpath.split(path)
            if folder not in there:
                there[folder] = set(self.storage.at(folder or ".").names())
            if name not in there[folder]:
                raise UserError(f"{self.address} has a hole: there is no shard {self._shards.name(path)}.")

    def _check_fields(self, path: str, fields: Mapping[str, Field]) -> None:
        for name, one in self.fields.items():
            if fields.get(name) != one:
                raise UserError(f"{self._shards.name(path)} is damaged: its {name} is not as in the other shards.")

    def _read_run(self, field: str, one: Field, wanted: range) -> NDArray[Any]:
        out = np.empty((len(wanted), *one.shape), dtype=one.dtype)
        if not wanted:
            return out
        first, last = self.locate([wanted[0], wanted[-1]])[0]
        for number in range(first, last + 1):
            extent, shift = self.extents[number], int(self._shifts[number])
            start = max(wanted.start, extent.first - shift)
            stop = min(wanted.stop, extent.first + extent.rows - shift)
            rows = self._shards[extent.path].read_slice(field, start + shift, stop + shift)
            out[start - wanted.start : stop - wanted.start] = rows
        return out


def view_names(storage: Storage) -> list[str]:
    """Names of the views that lie in a folder."""
    return [name.removesuffix(VIEW_SUFFIX) for name in storage.names() if name.endswith(VIEW_SUFFIX)]


def _there_are(storage: Storage) -> str:
    views = [f"{name}{VIEW_SUFFIX}" for name in view_names(storage)]
    return f"; there is {', '.join(views)} in {storage.address}" if views else ""


def list_shards(shards: Sequence[int]) -> str:
    """Numbers of shards for a sentence: not too many."""
    shown = ", ".join(str(shard) for shard in shards[:5])
    return f"{shown}, …" if len(shards) > 5 else shown
