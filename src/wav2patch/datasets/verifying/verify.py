"""Verification of a data set: is everything there, is it whole, and is it what its recipe gives?"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from wav2patch.checking.finding import Finding
from wav2patch.datasets.crew import in_order
from wav2patch.datasets.recipes.feature_words import quick_features
from wav2patch.datasets.recipes.plan import Plan
from wav2patch.datasets.shards.listen import Listen
from wav2patch.datasets.shards.open_shards import OpenShards
from wav2patch.datasets.verifying.look import Fault, Look, Piece, Seen
from wav2patch.datasets.verifying.replan import Replan, replan
from wav2patch.datasets.verifying.rerender import Rerendered, rerender
from wav2patch.datasets.views.places import data_set_of
from wav2patch.datasets.views.view import View
from wav2patch.errors import UserError
from wav2patch.rendering.choose import available_cores, make_renderer

GOOD, DAMAGED, DIFFERENT = 0, 3, 4
"""Exit codes: all is well; files are missing or damaged; rows are not what the recipe gives."""

# Rows of a task: progress is seen, and a process more is worth its start.
_PIECE = 200
_FEW_CLIPS = 1_000
_DEADLINE = 60.0


@dataclass(frozen=True)
class Thoroughness:
    """How closely to look.

    Attributes:
        clips: Clips that are read whole, measured again and whose draws are made again; None for all.
        rerender: Rows, drawn by chance, that are rendered again.
        seed: Of the chance.
        workers: Processes; None for one a core, as far as there is work for them.
    """

    clips: int | None = None
    rerender: int = 20
    seed: int = 0
    workers: int | None = None


@dataclass(frozen=True)
class BadFile:
    """A file that is missing or damaged.

    Attributes:
        file: Where it is, or ought to be.
        what: What is wrong, a sentence.
        rows: Numbers of the rows in it that are bad; none if it is the file as a whole.
        cure: What to do, a sentence.
    """

    file: str
    what: str
    rows: tuple[int, ...]
    cure: str


@dataclass(frozen=True)
class Verdict:
    """What was found.

    Attributes:
        address: Of the data set or view.
        rows: That it ought to have.
        shards: That these lie in.
        findings: One a check.
        files: Those that are bad.
        seconds: That it took.
    """

    address: str
    rows: int
    shards: int
    findings: Sequence[Finding]
    files: Sequence[BadFile]
    seconds: float

    @property
    def code(self) -> int:
        """`GOOD`, `DAMAGED` or `DIFFERENT`."""
        if self.files:
            return DAMAGED
        return GOOD if all(finding.holds is not False for finding in self.findings) else DIFFERENT

    @property
    def sentence(self) -> str:
        """What is wrong first of all; empty if nothing is."""
        if self.files:
            more = f" (and {len(self.files) - 1} more files, see --json)" if len(self.files) > 1 else ""
            return f"{self.files[0].what.rstrip('.')}{more}: {self.files[0].cure}"
        return next((finding.sentence for finding in self.findings if finding.holds is False), "")


def verify(
    view: View, wanted: Thoroughness, report: Callable[[str, int, int], None] = lambda what, done, of: None
) -> Verdict:
    """Look at the rows of a view, or at all that a data set ought to have.

    Args:
        view: From `places.open_whole`.
        wanted: How closely.
        report: Is told what is being done, how many rows are done, and of how many.

    Raises:
        UserError: The rows cannot be rendered on this machine.
    """
    started = time.perf_counter()
    known = replan(view)
    if wanted.rerender and known.no_renders and not known.bad:
        raise UserError(f"{known.no_renders.rstrip('.')}; with rerender=0 nothing is rendered.")
    shards, pieces = OpenShards(view.storage, view.recipe), cut(view, wanted)
    seen = _look(view, known, pieces, shards, wanted, report)
    files = [BadFile(name, what, (), cure) for name, what, cure in known.bad]
    files += _bad_files([fault for found in seen for fault in found.faults], shards, _cure(view))
    findings = [_files(view, files), *_contents(seen, len(view), pieces), *_draws(seen, known)]
    if wanted.rerender and files:
        findings.append(Finding("rendered again", None, "not tried, as files are bad."))
    elif wanted.rerender and known.plan is not None:
        report("rendering", 0, wanted.rerender)
        findings.append(_again(known.plan, view, wanted).judge())
    return Verdict(view.address, len(view), len(view.paths), findings, files, time.perf_counter() - started)


def _look(
    view: View,
    known: Replan,
    pieces: Sequence[Piece],
    shards: OpenShards,
    wanted: Thoroughness,
    report: Callable[[str, int, int], None],
) -> list[Seen]:
    recipe = view.recipe
    listen = Listen(recipe.sample_rate, None, quick_features(recipe.features), audio=False, packed=False)
    look = Look(shards, known.space, known.plan, listen)
    clips = sum(len(piece.clips) for piece in pieces)
    workers = wanted.workers or max(min(available_cores(), clips // _FEW_CLIPS), 1)
    seen: list[Seen] = []
    done = 0
    for piece, found in zip(pieces, in_order(look, pieces, workers), strict=True):
        seen.append(found)
        done += len(piece.rows)
        report("looking", done, len(view))
    return seen


def cut(view: View, wanted: Thoroughness) -> list[Piece]:
    """The rows of a view in pieces, with the clips that are to be read, drawn by chance where not all are."""
    chosen = np.ones(len(view), dtype=bool)
    if wanted.clips is not None and wanted.clips < len(view):
        chosen[:] = False
        chosen[np.random.default_rng([wanted.seed, 1]).choice(len(view), wanted.clips, replace=False)] = True
    pieces, place = [], 0
    for path, first, rows in view.extents:
        step = _PIECE if chosen[place : place + rows].any() else rows
        for start in range(first, first + rows, step):
            numbers = range(start, min(start + step, first + rows))
            clips = tuple(row for row in numbers if chosen[place + row - first])
            pieces.append(Piece(path, numbers, clips))
        place += rows
    return pieces


def _bad_files(faults: Sequence[Fault], shards: OpenShards, cure: str) -> list[BadFile]:
    by_path: dict[str, list[Fault]] = {}
    for fault in faults:
        by_path.setdefault(fault.path, []).append(fault)
    found = []
    for path, all_of_it in by_path.items():
        name = shards.name(path)
        what = all_of_it[0].what
        what = what if name in what else f"{name} is damaged: {what}"
        rows = tuple(sorted({fault.row for fault in all_of_it if fault.row is not None}))
        found.append(BadFile(name, what, rows, cure if "there is no shard" in what else f"delete it and {cure}"))
    return found


def _cure(view: View) -> str:
    return f"run `wav2patch data generate out={data_set_of(view).address}` again."


def _files(view: View, files: Sequence[BadFile]) -> Finding:
    count = len(view.paths)
    if files:
        return Finding("files", False, f"{len(files)} of {count} shards are missing or damaged.", {"bad": len(files)})
    return Finding("files", True, f"all {count} shards are there and of this data set, {len(view)} rows.", {"bad": 0})


def _contents(seen: Sequence[Seen], rows: int, pieces: Sequence[Piece]) -> list[Finding]:
    clips = sum(len(piece.clips) for piece in pieces)
    looked, read = sum(found.rows for found in seen), sum(found.clips for found in seen)
    plain = Finding("rows", looked == rows, f"{looked} of {rows} have parameters and notes that can be played.")
    if not clips:
        return [plain, Finding("clips", None, "none were read.")]
    told = f"{read} of {clips} that were read are finite, and as loud as recorded; their features are made from them."
    return [plain, Finding("clips", read == clips, told, {"clips": clips, "good": read})]


def _draws(seen: Sequence[Seen], known: Replan) -> list[Finding]:
    name = "draws"
    if known.plan is None:
        return [Finding(name, None, f"not made again: {known.no_draws}")]
    drawn = sum(found.drawn for found in seen)
    otherwise = [index for found in seen for index in found.drawn_otherwise]
    figures = {"drawn": drawn, "drawn_otherwise": len(otherwise)}
    if not drawn:
        return []
    if otherwise:
        listed = ", ".join(str(index) for index in otherwise[:5]) + (", …" if len(otherwise) > 5 else "")
        told = f"{len(otherwise)} of {drawn} rows are not what seed and index give here: {listed}."
        return [Finding(name, False, told, figures)]
    return [Finding(name, True, f"{drawn} rows are what seed and index give, parameter by parameter.", figures)]


def _again(plan: Plan, view: View, wanted: Thoroughness) -> Rerendered:
    count = min(wanted.rerender, len(view))
    rows = np.random.default_rng([wanted.seed, 2]).choice(len(view), count, replace=False)
    workers = wanted.workers or max(min(available_cores(), count // 8), 1)
    renderer = make_renderer(plan.synth, workers, deadline=_DEADLINE, processes=True)
    with contextlib.closing(renderer):
        return rerender(plan, view, sorted(int(row) for row in rows), renderer)
