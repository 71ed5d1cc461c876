"""The shards that a view has open: made where they are needed, few at a time, and never carried into a fork."""

from __future__ import annotations

import os
import posixpath
import re
import threading
from collections import OrderedDict
from pathlib import Path

from wav2patch.datasets.recipes.recipe import Recipe
from wav2patch.datasets.shards.shard import Shard
from wav2patch.datasets.storage.base import Storage
from wav2patch.errors import UserError

try:
    import resource
except ImportError:  # not on Windows
    resource = None

_MOST_OPEN, _FEWEST_OPEN = 256, 64


def most_open() -> int:
    """Shards that a view keeps open, of 0.6 MB each: a quarter of the files that the system lets a process have."""
    if resource is None:
        return _FEWEST_OPEN
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST_OPEN if allowed < 0 else min(max(allowed // 4, _FEWEST_OPEN), _MOST_OPEN)


_NUMBERED = re.compile(r"shard-(\d{6,})\.h5")


def shard_number(path: str) -> int:
    """The number in a shard's file name.

    Raises:
        ValueError: There is none.
    """
    found = _NUMBERED.fullmatch(posixpath.basename(path))
    if found is None:
        raise ValueError(f"{path} is no name of a shard")
    return int(found[1])


class OpenShards:
    """Shards of one data set by their relative paths, opened when they are asked for.

    It may be used by several threads and by forked processes, and pickles without what is open.

    Args:
        storage: The folder that the paths are relative to.
        recipe: Of the data set; what has another one is refused.
    """

    def __init__(self, storage: Storage, recipe: Recipe) -> None:
        self._storage, self._recipe = storage, recipe
        self._begin()

    def __getitem__(self, path: str) -> Shard:
        """An open shard. It stays open as long as somebody holds it.

        Raises:
            UserError: It is missing, damaged, or of another data set.
        """
        if self._process != os.getpid():
            # The lock may have been held, and what was open is the parent's: both are left alone. Of two threads that
            # come here at once, one works with files that nobody else sees.
            self._begin()
        with self._lock:
            shard = self._open.pop(path, None)
            if shard is None:
                shard = self.check(path)
                while len(self._open) >= self._most:
                    # Not closed: another thread may be reading. The file closes when the last one lets go of it.
                    self._open.popitem(last=False)
            self._open[path] = shard
        return shard

    def check(self, path: str) -> Shard:
        """Open a shard for the caller alone, who closes it; raises as asking for it does."""
        name = self.name(path)
        shard = Shard(self._local(path), name)
        try:
            _check(shard, path, name, self._recipe)
        except BaseException:
            shard.close()
            raise
        return shard

    def name(self, path: str) -> str:
        """What to call a shard in a sentence."""
        folder, name = posixpath.split(path)
        return f"{self._storage.at(folder or '.').address}/{name}"

    def close(self) -> None:
        """Close what is open; it is opened anew when it is asked for."""
        with self._lock:
            for shard in self._open.values():
                shard.close()
            self._open.clear()

    def __getstate__(self) -> tuple[Storage, Recipe]:
        return self._storage, self._recipe

    def __setstate__(self, state: tuple[Storage, Recipe]) -> None:
        self._storage, self._recipe = state
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[str, Shard] = OrderedDict()
        self._copies: dict[str, Path] = {}
        self._most = most_open()
        self._process = os.getpid()

    def _local(self, path: str) -> Path:
        copy = self._copies.get(path)
        if copy is None or not copy.is_file():
            folder, name = posixpath.split(path)
            try:
                copy = self._storage.at(folder or ".").local(name)
            except UserError:
                if not self._storage.at(folder or ".").exists(name):
                    raise UserError(f"there is no shard {self.name(path)}.") from None
                raise
            self._copies[path] = copy
        return copy


def _check(shard: Shard, path: str, name: str, recipe: Recipe) -> None:
    if shard.recipe != recipe:
        raise UserError(f"{name} belongs to another data set ({recipe.difference(shard.recipe)}).")
    rows = recipe.rows_of(shard_number(path))
    if (shard.first, len(shard)) != (rows.start, len(rows)):
        raise UserError(f"{name} holds other rows than its name says.")
