"""Subsets: a data set cut into views that have no row in common, and no patch either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wav2patch.datasets.recipes.recipe import SPEC_FILE, read_manifest
from wav2patch.datasets.storage.base import Storage
from wav2patch.datasets.views.cuts import Cut, allocate
from wav2patch.datasets.views.duplicates import check_tolerance
from wav2patch.datasets.views.likeness import Basis, basis
from wav2patch.datasets.views.row_runs import Runs
from wav2patch.datasets.views.splits import Report, Splits
from wav2patch.datasets.views.view import VIEW_SUFFIX
from wav2patch.datasets.views.view_file import write_view_file
from wav2patch.datasets.views.view_folder import ViewFolder
from wav2patch.errors import UserError

DUPLICATES = ("refuse", "drop", "group", "keep")
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Made:
    """A view that was cut.

    Attributes:
        name: ``"train"``, ….
        rows: That it has.
        shards: That these lie in.
        dropped: Rows left out as near-duplicates of another view's.
        state: ``"written"``, ``"replaced"``, or ``"unchanged"`` if it was there already.
    """

    name: str
    rows: int
    shards: int
    dropped: int
    state: str


@dataclass(frozen=True)
class Subset:
    """What came of a cut.

    Attributes:
        views: That were wanted, in order.
        kept: Rows that are near-duplicates of another view's and stay all the same.
        caveat: Why patches were compared in parameters that cannot be heard, too; None if they were not.
    """

    views: tuple[Made, ...]
    kept: int
    caveat: str | None


def make_subset(
    data: Storage,
    out: Storage,
    cuts: Sequence[Cut],
    *,
    duplicates: str = "refuse",
    tolerance: float = TOLERANCE,
    replace: bool = False,
    report: Report = lambda stage, done, of: None,
) -> Subset:
    """Cut a data set into views. What is refused writes nothing.

    Args:
        data: The data set.
        out: Folder of the views, from which the set is found by a relative path.
        cuts: What is wanted.
        duplicates: What to do about rows of two views whose patches are nearly the same: ``"refuse"``; ``"drop"``
            those of the larger view; ``"group"``: put all rows of one patch into one view, so that sizes come out a
            little different, and drop what is left; ``"keep"``.
        tolerance: Largest difference of near-duplicates, as a share of a parameter's range.
        replace: Whether views that are there may become others.
        report: Is told what goes on, and how many rows of how many are done.

    Raises:
        UserError: The cuts do not fit, share rows or patches, need shards that are not there, or would replace a view.
    """
    check_tolerance(tolerance)
    if duplicates not in DUPLICATES:
        raise UserError(f"duplicates is {', '.join(DUPLICATES[:-1])} or {DUPLICATES[-1]}, not {duplicates!r}.")
    folder = ViewFolder(out, data, read_manifest(data), {one.name for one in cuts})
    rows = allocate(cuts, folder.recipe, folder.standing, folder.rows_of_view)
    folder.check_shards(rows)
    likeness = _basis(data, folder, tolerance)
    splits = Splits(folder, {one.name for one in cuts if one.view and one.amount is None}, likeness.likeness, report)
    if duplicates == "group":
        rows = splits.grouped(rows)
    found = splits.search(rows)
    dropped: Mapping[str, Runs] = {}
    if len(found) and duplicates == "refuse":
        raise UserError(splits.refusal(rows, found, likeness.caveat))
    if len(found) and duplicates != "keep":
        dropped = splits.droppable(rows, found)
        rows = {name: theirs - dropped.get(name, Runs()) for name, theirs in rows.items()}
    remarks = {"duplicates": duplicates, "tolerance": tolerance}
    made = _write(folder, rows, dropped, remarks, replace=replace)
    return Subset(made, len(found) if duplicates == "keep" else 0, likeness.caveat)


def _write(
    folder: ViewFolder,
    rows: Mapping[str, Runs],
    dropped: Mapping[str, Runs],
    remarks: Mapping[str, object],
    *,
    replace: bool,
) -> tuple[Made, ...]:
    contents = {name: folder.content(name, theirs, remarks) for name, theirs in rows.items()}
    states = {name: folder.state(content, replace=replace) for name, content in contents.items()}
    for name, content in contents.items():
        if states[name] != "unchanged":
            with folder.storage.writing(f"{name}{VIEW_SUFFIX}") as path:
                write_view_file(path, content)
    return tuple(
        Made(
            name,
            len(theirs),
            len({extent.path for extent in contents[name].extents}),
            len(dropped.get(name, Runs())),
            states[name],
        )
        for name, theirs in rows.items()
    )


def _basis(data: Storage, folder: ViewFolder, tolerance: float) -> Basis:
    recipe = folder.recipe
    synth = str(data.local(SPEC_FILE)) if recipe.synth == SPEC_FILE else recipe.synth
    return basis(synth, recipe.space, recipe.parameters, tolerance)
