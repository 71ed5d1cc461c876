"""What the shards behind a view hold: draws that were rejected, and bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py

from wav2patch.datasets.shards.open_shards import OpenShards


@dataclass(frozen=True)
class Holdings:
    """Of some shards, each in full, also where a view takes only a part of it.

    Attributes:
        shards: How many.
        rows: In them.
        rejected: Draws that were rejected, by reason.
        file_bytes: Of the files.
        stored: Bytes of each field on the disk.
        plain: Bytes of each field in memory.
    """

    shards: int
    rows: int
    rejected: Mapping[str, int]
    file_bytes: int
    stored: Mapping[str, int]
    plain: Mapping[str, int]


def weigh(shards: OpenShards, paths: Sequence[str]) -> Holdings:
    """Of shards by their paths.

    Raises:
        UserError: One is missing or damaged.
    """
    rejected: Counter[str] = Counter()
    stored: Counter[str] = Counter()
    plain: Counter[str] = Counter()
    rows = size = 0
    for path in paths:
        with shards.check(path) as shard:
            rows += len(shard)
            rejected.update(shard.rejected)
            size += shard.path.stat().st_size
            on_disk, in_memory = field_bytes(shard.path)
        stored.update(on_disk)
        plain.update(in_memory)
    return Holdings(len(paths), rows, dict(rejected), size, dict(stored), dict(plain))


def field_bytes(path: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Bytes of each field of a shard, on the disk and in memory."""
    stored: dict[str, int] = {}
    plain: dict[str, int] = {}

    def look(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            stored[name] = item.id.get_storage_size()
            plain[name] = item.nbytes

    with h5py.File(path, "r", locking="best-effort") as file:
        file.visititems(look)
    return stored, plain


def spread(paths: list[str], most: int) -> list[str]:
    """At most so many of them, the first and the last included."""
    if len(paths) <= most:
        return paths
    return [paths[round(i * (len(paths) - 1) / (most - 1))] for i in range(most)] if most > 1 else paths[:1]
