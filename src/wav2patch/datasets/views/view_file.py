"""Files of views: virtual HDF5 data sets over the shards, found by relative paths.

Any HDF5 reader sees the rows in such a file as if they lay there, wherever the data set was moved to; but where a
shard is missing it sees zeros. `View` reads by the attribute `extents` instead, and stops there.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from wav2patch.datasets.recipes.recipe import Recipe, read_recipe
from wav2patch.datasets.shards import layout
from wav2patch.datasets.shards.layout import Field
from wav2patch.datasets.shards.open_shards import shard_number
from wav2patch.errors import UserError

FORMAT = "wav2patch-view-1"


class Extent(NamedTuple):
    """Rows that lie side by side in a shard.

    Attributes:
        path: Of the shard, relative to the view's folder, with posix slashes.
        first: The first row, counted in the shard.
        rows: How many.
    """

    path: str
    first: int
    rows: int


@dataclass(frozen=True)
class ViewContent:
    """What the file of a view says.

    Attributes:
        name: ``"train"``, ….
        recipe: Of the data set.
        extents: Where its rows lie.
        fields: What a row has, by name.
        remarks: How it was cut, as plain data.
    """

    name: str
    recipe: Recipe
    extents: tuple[Extent, ...]
    fields: Mapping[str, Field]
    remarks: Mapping[str, Any] = field(default_factory=dict)


def write_view_file(path: Path, content: ViewContent) -> None:
    """Write a view to `path`, which is to be renamed when it is whole. The same content gives the same bytes.

    Raises:
        OSError: The disk refuses it.
    """
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["format"] = FORMAT
        file.attrs["name"] = content.name
        file.attrs["recipe"] = content.recipe.to_json()
        file.attrs["remarks"] = json.dumps(dict(content.remarks), sort_keys=True, ensure_ascii=False)
        file.attrs["extents"] = json.dumps(content.extents, ensure_ascii=False)
        for name, one in content.fields.items():
            _write_virtual(file, name, one, content)


def read_view_file(path: Path, name: str) -> ViewContent:
    """Read the file of a view.

    Args:
        path: Where it lies.
        name: What to call it in a sentence.

    Raises:
        UserError: It is missing, damaged, or no view.
    """
    try:
        with h5py.File(path, "r", locking="best-effort") as file:
            return _read(file, name)
    except FileNotFoundError:
        raise UserError(f"there is no view {name}.") from None
    except OSError as error:
        raise UserError(f"{name} is damaged or no HDF5 file.") from error
    except (KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise UserError(f"{name} is damaged: it does not say which rows it has.") from error


def _read(file: h5py.File, name: str) -> ViewContent:
    attributes: Any = file.attrs
    if attributes.get("format") == layout.FORMAT:
        raise UserError(f"{name} is a single shard: open its data set's folder, or a view of it.")
    if attributes.get("format") != FORMAT:
        raise UserError(f"{name} is no view of a wav2patch data set, or of another version of it.")
    extents = tuple(Extent(str(path), int(first), int(rows)) for path, first, rows in json.loads(attributes["extents"]))
    recipe = read_recipe(attributes["recipe"], name)
    if any(not extent.path or extent.first < 0 or extent.rows < 1 for extent in extents):
        raise ValueError("an extent lies nowhere")
    fields = dict(_fields(file, recipe, sum(extent.rows for extent in extents)))
    return ViewContent(str(attributes["name"]), recipe, extents, fields, json.loads(attributes["remarks"]))


def _fields(file: h5py.File, recipe: Recipe, rows: int) -> Iterator[tuple[str, Field]]:
    packed = layout.packed_names(recipe)
    for name in layout.field_names(recipe):
        dataset: Any = file[name]
        if dataset.shape[:1] != (rows,):
            raise ValueError(f"{name} has other rows than the extents")
        yield name, Field(dataset.shape[1:], dataset.dtype.name, name in packed)


def _write_virtual(file: h5py.File, name: str, one: Field, content: ViewContent) -> None:
    whole, corner = (sum(extent.rows for extent in content.extents), *one.shape), (0,) * len(one.shape)
    place = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    place.set_obj_track_times(False)
    target, start = h5py.h5s.create_simple(whole), 0
    for extents in _ascending(content.extents):
        count = sum(extent.rows for extent in extents)
        target.select_hyperslab((start, *corner), (count, *one.shape))
        # HDF5 takes % in a name for the beginning of a pattern.
        path = extents[0].path.replace("%", "%%")
        place.set_virtual(target, path.encode(), name.encode(), _source(extents, one, content.recipe))
        start += count
    group = file.require_group(posixpath.dirname(f"/{name}"))
    kind = h5py.h5t.py_create(np.dtype(one.dtype), logical=True)
    h5py.h5d.create(group.id, posixpath.basename(name).encode(), kind, h5py.h5s.create_simple(whole), place)


def _ascending(extents: Sequence[Extent]) -> Iterator[list[Extent]]:
    """Runs of extents that lie in one shard in their order: one entry of a virtual data set is enough for each."""
    run: list[Extent] = []
    for extent in extents:
        if run and (extent.path != run[0].path or extent.first < run[-1].first + run[-1].rows):
            yield run
            run = []
        run.append(extent)
    if run:
        yield run


def _source(extents: Sequence[Extent], one: Field, recipe: Recipe) -> h5py.h5s.SpaceID:
    rows = len(recipe.rows_of(shard_number(extents[0].path)))
    space = h5py.h5s.create_simple((rows, *one.shape))
    space.select_none()
    for extent in extents:
        start, count = (extent.first, *(0,) * len(one.shape)), (extent.rows, *one.shape)
        space.select_hyperslab(start, count, op=h5py.h5s.SELECT_OR)
    return space
