"""Splits: views of one folder, and the patches that they must not have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.views.duplicates import Duplicates, find_duplicates, view_digests
from wav2patch.datasets.views.likeness import Likeness
from wav2patch.datasets.views.row_runs import Runs
from wav2patch.datasets.views.view_folder import ViewFolder
from wav2patch.errors import UserError

Report = Callable[[str, int, int], None]


class Splits:
    """The views of a folder, those that are there and those that are wanted, and what patches they have in common.

    Args:
        folder: Of the views.
        copies: Names of wanted views that are to have just the rows of others.
        likeness: How patches are compared.
        report: Is told about progress.
    """

    def __init__(self, folder: ViewFolder, copies: set[str], likeness: Likeness, report: Report) -> None:
        self._folder, self._copies, self._likeness, self._report = folder, copies, likeness, report

    def search(self, rows: Mapping[str, Runs]) -> Duplicates:
        """Near-duplicates of rows in other views.

        They are found in the view that may change rather than in the one that may not, in the larger one, and in the
        one that was named first. Those that views have in common that are there already are nobody's concern now.
        """
        standing = self._folder.standing
        if not rows or len(rows) + len(standing) < 2:
            return Duplicates()
        splits = {**standing, **rows}
        last_first = list(splits)[::-1]
        order = sorted(last_first, key=lambda name: (name in rows, name not in self._copies, len(splits[name])))
        views = {name: self._folder.view(name, splits[name]) for name in order}
        found = find_duplicates(views, self._likeness, partial(self._report, "comparing patches"))
        return Duplicates({name: there for name, there in found.rows.items() if name in rows}, found.examples)

    def droppable(self, rows: Mapping[str, Runs], found: Duplicates) -> dict[str, Runs]:
        """The duplicates, as rows of the set, that can be left out.

        Raises:
            UserError: They are in views that are to stay as they are, or nothing would be left.
        """
        dropped = {name: Runs.from_numbers(rows[name].numbers()[there]) for name, there in found.rows.items()}
        for name, theirs in dropped.items():
            if name in self._copies:
                raise UserError(
                    f"{len(theirs)} rows of {name} are near-duplicates of another view's, and {name} is to have the "
                    "rows of a view that is there: cut that one anew, or keep them with duplicates=keep."
                )
            if len(theirs) == len(rows[name]):
                raise UserError(
                    f"every row of {name} is a near-duplicate of another view's, so dropping them leaves none: "
                    "with duplicates=group all rows of one patch go to one view."
                )
        return dropped

    def grouped(self, rows: Mapping[str, Runs]) -> dict[str, Runs]:
        """Give all rows of one patch to one view, which views that are to have others' rows take no part in.

        Views keep their sizes but for less than the rows of a patch.
        """
        names = [name for name in rows if name not in self._copies]
        if not names:
            return dict(rows)
        numbers = np.concatenate([rows[name].numbers() for name in names])
        owners = np.repeat(np.arange(len(names)), [len(rows[name]) for name in names])
        patches = np.concatenate([self._digests(name, rows[name]) for name in names])
        owners = share_groups(patches, owners, len(names))
        return dict(rows) | {name: Runs.from_numbers(numbers[owners == i]) for i, name in enumerate(names)}

    def refusal(self, rows: Mapping[str, Runs], found: Duplicates, caveat: str | None) -> str:
        """A sentence on what was found, and on how to go on."""
        name, there = next(iter(found.rows.items()))
        other, row = found.examples[name]
        pair = f"row {rows[name].numbers()[there[0]]} of {name} and row {self._numbers(other, rows)[row]} of {other}"
        counts = " and ".join(
            f"{len(theirs)} of {len(rows[each])} rows of {each}" for each, theirs in found.rows.items()
        )
        compared = f" ({caveat}, so all parameters were compared)" if caveat else ""
        return (
            f"{counts} are near-duplicates of another view's, such as {pair}{compared}: duplicates=drop leaves them "
            "out, duplicates=group puts all rows of one patch into one view, and duplicates=keep keeps them."
        )

    def _numbers(self, name: str, rows: Mapping[str, Runs]) -> NDArray[np.int64]:
        return {**self._folder.standing, **rows}[name].numbers()

    def _digests(self, name: str, rows: Runs) -> NDArray[np.uint64]:
        report = partial(self._report, f"grouping {name}")
        return view_digests(self._folder.view(name, rows), self._likeness, report)


def share_groups(groups: NDArray[np.uint64], owners: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Give each group that has several owners to one of them all, so that each owner keeps about as much as it had.

    Args:
        groups: Of every row, ``(n,)``, a number that says nothing about its place.
        owners: Of every row, ``(n,)``.
        count: Of owners.

    Returns:
        The new owners ``(n,)``.
    """
    _, group = np.unique(groups, return_inverse=True)
    size = np.bincount(group)
    least, most = np.full(len(size), count), np.full(len(size), -1)
    np.minimum.at(least, group, owners)
    np.maximum.at(most, group, owners)
    mixed = least < most
    # In the order of their numbers, which is as good as any, mixed groups fill one owner after the other.
    ends = np.cumsum(np.bincount(owners[mixed[group]], minlength=count))
    middle = np.cumsum(np.where(mixed, size, 0)) - size / 2
    chosen = np.minimum(np.searchsorted(ends, middle, side="left"), count - 1)
    return np.where(mixed[group], chosen[group], owners)
