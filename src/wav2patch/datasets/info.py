"""What lies at an address: a data set, a view, a shard or statistics, told without reading rows."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

import h5py

from wav2patch.datasets.recipes.feature_words import load_stored_feature
from wav2patch.datasets.recipes.recipe import MANIFEST, Recipe, read_manifest, shard_name
from wav2patch.datasets.shards import layout
from wav2patch.datasets.shards.holdings import Holdings, field_bytes, spread, weigh
from wav2patch.datasets.shards.open_shards import OpenShards
from wav2patch.datasets.shards.shard import Shard
from wav2patch.datasets.statistics.files import read_statistics
from wav2patch.datasets.storage.base import Storage, open_storage
from wav2patch.datasets.storage.local import LocalStorage
from wav2patch.datasets.views import view_file
from wav2patch.datasets.views.places import split_address
from wav2patch.datasets.views.view import View, holes, open_view_in
from wav2patch.errors import UserError

SAMPLE = 20
"""Shards that are opened, spread over all of them."""

_SHARD = re.compile(r"shard-\d+\.h5")

Facts = dict[str, Any]


def inspect(address: str) -> Facts:
    """What lies at an address, as plain values; ``"kind"`` says what it is.

    Raises:
        UserError: There is nothing, or it is damaged or none of ours.
    """
    storage, name = split_address(address)
    if name in ("", ".", "..") or not storage.exists(name):
        return _folder(address, open_storage(address))
    if name.endswith(".h5"):
        return _hdf5(address, storage, name)
    if name.endswith(".npz"):
        return _statistics(address, storage, name)
    if name == MANIFEST:
        return _data_set(storage)
    raise UserError(f"{address} is no data set, view, shard or file of statistics.")


def _folder(address: str, storage: Storage) -> Facts:
    if storage.exists(MANIFEST):
        return _data_set(storage)
    if views := _views(storage):
        return {"kind": "folder of views", "address": address, "views": views}
    raise UserError(f"there is no data set, view, shard or file of statistics at {address}.")


def _data_set(storage: Storage) -> Facts:
    recipe = read_manifest(storage)
    missing = holes(storage, recipe)
    there = sorted(set(range(recipe.shards)) - set(missing))
    rows = sum(len(recipe.rows_of(number)) for number in there)
    return {
        "kind": "data set",
        "address": storage.address,
        **_of_recipe(recipe),
        "rows": recipe.count,
        "rows_there": rows,
        "shards": recipe.shards,
        "missing_shards": _ranges(missing),
        **_of_shards(storage, recipe, [shard_name(number) for number in there], rows),
        "views": _views(storage),
        "statistics": [name for name in storage.names() if name.endswith("stats.npz")],
    }


def _hdf5(address: str, storage: Storage, name: str) -> Facts:
    path = storage.local(name)
    kind = _format(path, address)
    if kind == layout.FORMAT:
        return _shard(address, path)
    if kind == view_file.FORMAT:
        return _view(address, open_view_in(storage, name, address))
    raise UserError(f"{address} is an HDF5 file, but no view or shard of a wav2patch data set of this version.")


def _shard(address: str, path: Path) -> Facts:
    with Shard(path, address) as found:
        rows = {"first": found.first, "rows": len(found)}
        stored, plain = field_bytes(path)
        held = Holdings(1, len(found), found.rejected, path.stat().st_size, stored, plain)
        return {"kind": "shard", "address": address, **_of_recipe(found.recipe), **rows, **_sizes(held, len(found), 1)}


def _view(address: str, view: View) -> Facts:
    there = _present(view)
    missing = [path for path in view.paths if path not in there]
    rows = sum(extent.rows for extent in view.extents if extent.path in there)
    return {
        "kind": "view",
        "address": address,
        "name": view.name,
        **_of_recipe(view.recipe),
        "rows": len(view),
        "rows_there": rows,
        "shards": len(view.paths),
        "missing_shards": missing,
        "cut": view.remarks,
        **_of_shards(view.storage, view.recipe, [path for path in view.paths if path in there], rows),
    }


def _statistics(address: str, storage: Storage, name: str) -> Facts:
    arrays = read_statistics(storage, name)
    recipe = Recipe.from_json(str(arrays["recipe"]))
    features = {
        key.removesuffix("/mean").removeprefix(layout.FEATURES): list(one.shape)
        for key, one in arrays.items()
        if key.endswith("/mean")
    }
    measured = {"rows": int(arrays["rows"]), "features_measured": features}
    return {"kind": "file of statistics", "address": address, **_of_recipe(recipe), **measured}


def _of_recipe(recipe: Recipe) -> Facts:
    content = asdict(recipe) | {"parameters": len(recipe.parameters), "clip_samples": recipe.samples}
    shape = (recipe.channels, recipe.samples, recipe.sample_rate)
    features: dict[str, Sequence[int] | None] = {}
    for name in recipe.features:
        try:
            features[name] = list(load_stored_feature(name).shape(*shape))
        except UserError:
            features[name] = None
    return content | {"features": features}


def _of_shards(storage: Storage, recipe: Recipe, paths: list[str], rows: int) -> Facts:
    if not isinstance(storage, LocalStorage):
        return _of_remote(storage, paths)
    chosen = spread(paths, SAMPLE)
    held = weigh(OpenShards(storage, recipe), chosen)
    facts = _sizes(held, rows, len(paths))
    if len(chosen) < len(paths):
        facts["file_bytes"] = sum(_size(storage, path) for path in paths)
    return facts


def _of_remote(storage: Storage, paths: list[str]) -> Facts:
    """Of shards that would have to be fetched to be opened: their sizes alone."""
    chosen = spread(paths, SAMPLE)
    mean = sum(_size(storage, path) for path in chosen) / max(len(chosen), 1)
    return {"file_bytes": round(mean * len(paths)), "shards_weighed": len(chosen), "shards_opened": 0}


def _sizes(held: Holdings, rows: int, shards: int) -> Facts:
    share = held.rows / rows if rows else 1.0
    return {
        "file_bytes": round(held.file_bytes / share) if share else 0,
        "bytes_of_fields": {name: round(size / share) for name, size in held.stored.items()},
        "compression": {name: round(held.plain[name] / size, 2) for name, size in held.stored.items() if size},
        "rejected": dict(held.rejected),
        "rejected_share": round(sum(held.rejected.values()) / (held.rows + sum(held.rejected.values()) or 1), 5),
        "shards_opened": held.shards,
        "all_opened": held.shards == shards,
    }


def _size(storage: Storage, path: str) -> int:
    folder, name = posixpath.split(path)
    return storage.at(folder or ".").size(name)


def _present(view: View) -> set[str]:
    names: dict[str, set[str]] = {}
    for folder in {posixpath.dirname(path) for path in view.paths}:
        names[folder] = set(view.storage.at(folder or ".").names())
    return {path for path in view.paths if posixpath.basename(path) in names[posixpath.dirname(path)]}


def _views(storage: Storage) -> list[str]:
    return [name for name in storage.names() if name.endswith(".h5") and not _SHARD.fullmatch(name)]


def _format(path: Path, name: str) -> str:
    try:
        with h5py.File(path, "r", locking="best-effort") as file:
            return str(file.attrs.get("format"))
    except (OSError, RuntimeError, UnicodeError) as error:
        raise UserError(f"{name} is damaged or no HDF5 file.") from error


def _ranges(numbers: Iterable[int]) -> list[str]:
    """Whole numbers as ranges: ``["3", "7-9"]``."""
    found = []
    for _, group in groupby(enumerate(numbers), lambda one: one[1] - one[0]):
        run = [number for _, number in group]
        found.append(f"{run[0]}" if len(run) == 1 else f"{run[0]}-{run[-1]}")
    return found
