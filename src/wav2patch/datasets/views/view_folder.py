"""A folder of views of one data set: those that lie there, and those that are to be made."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from functools import cached_property

from wav2patch.datasets.recipes.recipe import Recipe, shard_name
from wav2patch.datasets.shards.layout import Field
from wav2patch.datasets.shards.open_shards import shard_number
from wav2patch.datasets.storage.base import Storage, relative_path
from wav2patch.datasets.views.row_runs import Runs
from wav2patch.datasets.views.view import VIEW_SUFFIX, View, holes, list_shards, open_view, open_view_in, view_names
from wav2patch.datasets.views.view_file import Extent, ViewContent, read_view_file
from wav2patch.errors import UserError


class ViewFolder:
    """Views that lie side by side, and so have no row in common.

    Args:
        storage: The folder.
        data: The data set.
        recipe: Of the data set.
        wanted: Names of the views that are to be made.

    Raises:
        UserError: No relative path leads from the folder to the data set.
    """

    def __init__(self, storage: Storage, data: Storage, recipe: Recipe, wanted: Iterable[str]) -> None:
        self.storage, self.recipe = storage, recipe
        self._data, self._wanted = data, frozenset(wanted)
        self._path = relative_path(storage, data)

    @cached_property
    def standing(self) -> Mapping[str, Runs]:
        """Rows of the views of this data set that are there and not wanted anew, by name.

        Raises:
            UserError: A file in the folder is no view, or a damaged one.
        """
        names = [name for name in view_names(self.storage) if name not in self._wanted]
        views = {name: open_view_in(self.storage, f"{name}{VIEW_SUFFIX}") for name in names}
        return {name: rows_of(view) for name, view in views.items() if view.recipe == self.recipe}

    def rows_of_view(self, words: str) -> Runs:
        """Rows of a view of the data set: one that lies in its folder, by name, or any other by its address.

        Raises:
            UserError: There is none, or it is one of another data set.
        """
        file = words.endswith(VIEW_SUFFIX)
        view = open_view(words) if file else open_view_in(self._data, f"{words}{VIEW_SUFFIX}")
        if difference := self.recipe.difference(view.recipe):
            raise UserError(f"{view.address} is a view of another data set ({difference}).")
        return rows_of(view)

    def check_shards(self, rows: Mapping[str, Runs]) -> None:
        """Make sure that there is a shard for every row of the views that are to be made.

        Raises:
            UserError: Names those that are missing.
        """
        missing = set(holes(self._data, self.recipe))
        for name, theirs in rows.items():
            needed = {shard for run in theirs.runs for shard in self._shards(run)}
            if lacking := sorted(needed & missing):
                raise UserError(
                    f"{name} needs {len(lacking)} shards that are not there yet ({list_shards(lacking)}): finish the "
                    f"set with `wav2patch data generate out={self._data.address}`, or cut views from other shards."
                )

    def view(self, name: str, rows: Runs) -> View:
        """A view that need not be there."""
        return View(f"{self.storage.address}/{name}", name, self.recipe, self.storage, self._extents(rows))

    def content(self, name: str, rows: Runs, remarks: Mapping[str, object]) -> ViewContent:
        """What the file of a view is to say."""
        if not rows:
            raise UserError(f"{name} would have no rows.")
        return ViewContent(name, self.recipe, self._extents(rows), self._fields, remarks)

    def state(self, content: ViewContent, *, replace: bool) -> str:
        """What becomes of a view: it is ``"written"``, ``"replaced"``, or there and ``"unchanged"``.

        Raises:
            UserError: There is another one, and it is not to be replaced.
        """
        name = f"{content.name}{VIEW_SUFFIX}"
        if not self.storage.exists(name):
            return "written"
        if self._holds(name, content):
            return "unchanged"
        if not replace:
            raise UserError(
                f"{self.storage.address}/{name} is there and has other rows: replace=true replaces it, and out=… "
                "puts the new one elsewhere."
            )
        return "replaced"

    def _holds(self, name: str, content: ViewContent) -> bool:
        try:
            return read_view_file(self.storage.local(name), name) == content
        except UserError:
            return False

    @cached_property
    def _fields(self) -> Mapping[str, Field]:
        there = set(range(self.recipe.shards)) - set(holes(self._data, self.recipe))
        return self.view("", Runs((self.recipe.rows_of(min(there)),))).fields

    def _extents(self, rows: Runs) -> tuple[Extent, ...]:
        return tuple(
            Extent(
                posixpath.normpath(posixpath.join(self._path, shard_name(shard))),
                max(run.start - (first := shard * self.recipe.shard_rows), 0),
                min(run.stop, first + self.recipe.shard_rows) - max(run.start, first),
            )
            for run in rows.runs
            for shard in self._shards(run)
        )

    def _shards(self, run: range) -> range:
        return range(run.start // self.recipe.shard_rows, (run.stop - 1) // self.recipe.shard_rows + 1)


def rows_of(view: View) -> Runs:
    """Numbers that the rows of a view have in the data set."""
    firsts = ((shard_number(e.path) * view.recipe.shard_rows + e.first, e.rows) for e in view.extents)
    return Runs.of(range(first, first + rows) for first, rows in firsts)
