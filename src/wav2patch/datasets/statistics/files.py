"""The files that statistics lie in, beside their view, and how a feature is standardised by them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.shards.layout import FEATURES
from wav2patch.datasets.statistics.measure import Statistics
from wav2patch.datasets.statistics.words import to_json
from wav2patch.datasets.storage.base import Storage
from wav2patch.datasets.views.places import split_address
from wav2patch.datasets.views.view import ALL, View
from wav2patch.errors import UserError
from wav2patch.features.standard import Standard

ENDINGS = ("npz", "json", "png")


def statistics_name(view: View, ending: str) -> str:
    """Name of a file of statistics: ``stats.npz`` of a whole data set, ``train.stats.npz`` of ``train.h5``."""
    _, name = split_address(view.address)
    return f"stats.{ending}" if view.name == ALL else f"{name.removesuffix('.h5')}.stats.{ending}"


def save_statistics(found: Statistics, view: View, picture: bytes | None) -> list[str]:
    """Write the files beside the view, each whole or not at all, and give their names.

    The arrays come last: while the old ones are there, nothing that training reads has changed.

    Raises:
        UserError: The place refuses them.
    """
    content = {"json": to_json(found).encode(), "npz": _npz(found)}
    names = []
    for ending in reversed(ENDINGS):
        if (data := picture if ending == "png" else content[ending]) is not None:
            names.append(statistics_name(view, ending))
            view.storage.write_bytes(names[-1], data)
    return names


def load_standard(storage: Storage, name: str, feature: str) -> Standard:
    """What standardises a feature, from the arrays that `save_statistics` wrote.

    Args:
        storage: Where the file lies.
        name: Of the file, such as ``"train.stats.npz"``.
        feature: Its canonical name, such as ``"log_mel"``.

    Raises:
        UserError: There is no such file, it is damaged, or has nothing on this feature.
    """
    arrays = read_statistics(storage, name)
    field = FEATURES + feature
    if f"{field}/mean" not in arrays:
        raise UserError(f"{storage.address}/{name} has no statistics of {feature}: run `wav2patch data stats` again.")
    mean, std = (np.asarray(arrays[f"{field}/{what}"]) for what in ("mean", "std"))
    return Standard.of(mean, std)


def read_statistics(storage: Storage, name: str) -> dict[str, NDArray[Any]]:
    """The arrays of a file of statistics; see `Statistics.arrays`.

    Raises:
        UserError: There is no such file, or it is damaged or another one's.
    """
    if not storage.exists(name):
        raise UserError(f"there is no {storage.address}/{name}: `wav2patch data stats` makes it.")
    try:
        with np.load(io.BytesIO(storage.read_bytes(name)), allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{storage.address}/{name} is no file of statistics, or a damaged one.") from error
    if not {"rows", "recipe"} <= arrays.keys():
        raise UserError(f"{storage.address}/{name} is no file of statistics of a wav2patch data set.")
    return arrays


def _npz(found: Statistics) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **found.arrays())
    return content.getvalue()
