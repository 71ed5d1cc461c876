r"""How close the matcher comes when it starts from trained models, and from retrieval alone.

    python benchmarks/starts.py --data dexed-100k/test.h5 --out results/starts \
        --model flow=runs/dexed/flow/first/checkpoints/best.ckpt --model regression=models/regression --rows 16

Targets are rows of a test view: renders of patches that no model has seen, each with its own note, which the matcher is
told. A method's matches start as `wav2patch match --proposer` does, from its proposals and, by turns, draws of the
synth's prior; those of "retrieval alone" from the draws. Every number of renders is a match of its own, as the search
plans for its budget. 0 renders is what a method says by itself: the distance of its first proposal, unchosen (for
retrieval alone that of one draw). Distances are those of the search objective, before the last round, in which patches
of the wrong pitch are put back.

Checkpoints are exported to `--out`. Each match is stored there as it is done, a line of JSON with the whole course of
its best distance, so a run that was stopped goes on where it was, and a later one may have more models, rows or
budgets; a model that has changed is matched again. `--table` shows what is there so far. Intervals are of 95%, of
medians, by bootstrap over targets.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

# One thread for the linear algebra of a worker: there is a worker a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from line_chart import Line, draw
from wav2patch.audio.target import WIDEST, Target
from wav2patch.datasets.views.view import open_view
from wav2patch.errors import UserError
from wav2patch.evaluation.intervals import Estimate, bootstrap_estimate, mean_estimate
from wav2patch.evaluation.rows import Row, ViewRows
from wav2patch.evaluation.text_tables import comma_separated, markdown
from wav2patch.files import write_text
from wav2patch.matching.budget import Budget
from wav2patch.matching.evaluator import Evaluator
from wav2patch.matching.learned import LearnedProposer
from wav2patch.matching.proposers import PriorProposer, Proposer
from wav2patch.matching.search import search
from wav2patch.metrics.objective import Objective
from wav2patch.rendering.choose import available_cores
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.weights.folder import is_model_folder, open_folder

RETRIEVAL = "retrieval alone"
BUDGETS = (64, 512, 4096)
SEARCH_SEED = 3
_PLACES = 60

Key = tuple[str, int, str, str, int, int]
Curve = NDArray[np.float64]
"""Renders and the best distance after them, ``(moments, 2)``."""


@dataclass(frozen=True)
class Method:
    """Where matches start from: a model folder with graphs, none for retrieval alone, and a digest of the model."""

    name: str
    folder: Path | None = None
    digest: str = ""


@dataclass(frozen=True)
class Job:
    """One match."""

    data: str
    seed: int
    method: Method
    row: int
    renders: int

    @property
    def key(self) -> Key:
        return (self.data, self.seed, self.method.name, self.method.digest, self.row, self.renders)


@cache
def rows_of(data: str) -> ViewRows:
    """One view, and one engine, a process."""
    view = open_view(data)
    return ViewRows(view, max(len(view), 1))


@cache
def proposers_of(folder: Path | None, data: str) -> list[Proposer]:
    synth = rows_of(data).synth
    learned: list[Proposer] = [] if folder is None else [LearnedProposer(folder, synth)]
    return [*learned, PriorProposer(synth.prior())]


def target_of(row: Row) -> Target:
    """A row as it is, whose note is known."""
    bandwidth = min(row.sample_rate / 2, WIDEST)
    name = f"row {row.index}"
    return Target(
        row.audio, row.sample_rate, row.note, None, 0.0, 0.0, 0.0, 0.0, bandwidth, name, 0.0, row.length, True, ()
    )  # fmt: skip


def run(job: Job) -> dict[str, Any]:
    """The match, as a line of the file has it."""
    rows = rows_of(job.data)
    (row,) = rows.read([job.row])
    target = target_of(row)
    objective = Objective(target.mono, target.sample_rate, target.bandwidth)
    budget = Budget(renders=job.renders)
    evaluator = Evaluator(rows.synth.space, InlineRenderer(rows.synth), row.sound(), objective, budget)
    generator = np.random.default_rng([SEARCH_SEED, job.seed, job.row])
    search(target, evaluator, proposers_of(job.method.folder, job.data), rows.synth.prior(), generator)
    return {
        "key": job.key,
        "index": row.index,
        "curve": [(one.renders, one.distance) for one in evaluator.improvements],
        "rendered": dict(evaluator.rendered),
        "failures": len(evaluator.failures),
        "seconds": round(budget.spent_seconds, 3),
    }


def read_done(path: Path) -> dict[Key, Curve]:
    """Curves of the matches that were stored; the last line may be half written."""
    found: dict[Key, Curve] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            told = json.loads(line)
        except json.JSONDecodeError:
            continue
        data, seed, name, digest, row, renders = told["key"]
        found[(data, seed, name, digest, row, renders)] = np.array(told["curve"], dtype=np.float64).reshape(-1, 2)
    return found


def run_all(jobs: Sequence[Job], path: Path, workers: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file, get_context("spawn").Pool(min(workers, len(jobs))) as pool:
        if file.tell() and not path.read_text(encoding="utf-8").endswith("\n"):
            file.write("\n")
        for done, told in enumerate(pool.imap_unordered(run, jobs), start=1):
            file.write(json.dumps(told) + "\n")
            file.flush()
            _, _, name, _, row, renders = told["key"]
            best = told["curve"][-1][1] if told["curve"] else np.nan
            print(f"{done}/{len(jobs)} {name}, row {row}, {renders:,} renders: {best:.2f} dB", flush=True)


def methods_of(options: argparse.Namespace) -> list[Method]:
    """Retrieval alone and the models, each in a folder with graphs."""
    named = [one.partition("=")[::2] for one in options.model]
    if wrong := [name for name, path in named if not name or not path]:
        raise UserError(f"a model is given as NAME=PATH, not {wrong[0]!r}.")
    if len({RETRIEVAL, *(name for name, _ in named)}) <= len(named):
        raise UserError("two methods have the same name.")
    return [Method(RETRIEVAL), *(_model(name, Path(path), options.out) for name, path in named)]


def _model(name: str, path: Path, out: Path) -> Method:
    digest = _digest(path)
    if is_model_folder(path) and open_folder(path).graphs:
        return Method(name, path.resolve(), digest)
    folder = (out / "models" / f"{name}-{digest}").resolve()
    if not is_model_folder(folder):
        from wav2patch.training.export import export  # noqa: PLC0415 - PyTorch takes seconds to import
        from wav2patch.training.saving import load_trained  # noqa: PLC0415 - see above

        folder.parent.mkdir(parents=True, exist_ok=True)
        export(load_trained(path), folder, weights=False)
    return Method(name, folder, digest)


def _digest(path: Path) -> str:
    if not path.exists():
        raise UserError(f"there is no {path}: give a checkpoint or a model folder.")
    digest = hashlib.blake2b(digest_size=4)
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def make_jobs(options: argparse.Namespace, methods: Sequence[Method]) -> Iterator[Job]:
    """Target after target, so that a run that is stopped early has something to show; long matches first."""
    count = len(rows_of(options.data))
    chosen = np.random.default_rng([options.seed]).permutation(count)[: options.rows]
    for row in chosen:
        for renders in sorted(options.budgets, reverse=True):
            for method in methods:
                yield Job(options.data, options.seed, method, int(row), renders)


@dataclass(frozen=True)
class Results:
    """Curves of all methods on the targets that are complete: by method and budget, target by target."""

    curves: Mapping[tuple[str, int], Sequence[Curve]]
    methods: Sequence[str]
    budgets: Sequence[int]
    targets: int

    def values(self, method: str, renders: int) -> NDArray[np.float64]:
        """Distances ``(targets,)`` after so many renders; NaN where nothing could be rendered."""
        if renders == 0:
            return np.array([one[0, 1] if len(one) else np.nan for one in self.curves[method, self.budgets[0]]])
        return np.array([one[-1, 1] if len(one) else np.nan for one in self.curves[method, renders]])


def collect(jobs: Sequence[Job], done: Mapping[Key, Curve]) -> Results:
    lacking = {job.row for job in jobs if job.key not in done}
    whole = [job for job in jobs if job.row not in lacking]
    if not whole:
        raise UserError("no target is complete yet: let the run go on.")
    curves: dict[tuple[str, int], list[Curve]] = {}
    for job in whole:
        curves.setdefault((job.method.name, job.renders), []).append(done[job.key])
    methods = list(dict.fromkeys(job.method.name for job in jobs))
    return Results(curves, methods, sorted({job.renders for job in jobs}), len({job.row for job in whole}))


def median(values: NDArray[np.float64]) -> Estimate:
    return bootstrap_estimate(values, lambda drawn: np.median(drawn, axis=-1), SEARCH_SEED, 0, resamples=4_000)


def cell(one: Estimate) -> str:
    return f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]"


def write_results(results: Results, out: Path, heading: str) -> str:
    """Tables and figure in a folder; returns the Markdown."""
    budgets, lines, rows, differences = (0, *results.budgets), [], [], []
    for name in results.methods:
        cells, changes = [name], [name]
        for renders in budgets:
            values, usual = results.values(name, renders), results.values(RETRIEVAL, renders)
            found, mean, change = median(values), mean_estimate(values), median(values - usual)
            cells.append(cell(found))
            changes.append(cell(change))
            figures = [v for one in (found, mean, change) for v in (one.value, one.low, one.high)]
            lines.append([name, str(renders), *(f"{one:.4f}" for one in figures), str(found.count)])
        rows.append(cells)
        differences.append(changes)
    kinds = [f"{what}{end}" for what in ("median", "mean", "change") for end in ("", "_low", "_high")]
    head = ["start", *(f"{renders:,} renders" for renders in budgets)]
    text = f"{heading}\n\nMedian distance in dB with its 95% interval:\n\n{markdown(head, rows, numbers=1)}"
    if beside := [one for one in differences if one[0] != RETRIEVAL]:
        text += f"\nMedian over targets of the difference from {RETRIEVAL}, in dB:\n\n"
        text += markdown(head, beside, numbers=1)
    write_text(out / "starts.md", text)
    write_text(out / "starts.csv", comma_separated(["start", "renders", *kinds, "targets"], lines))
    _draw(results, out / "starts.png", heading)
    return text


def _draw(results: Results, path: Path, heading: str) -> None:
    """The course of the longest match, and the ends of all of them."""
    longest = results.budgets[-1]
    places = np.unique(np.geomspace(1, longest, _PLACES).round())
    ends = np.array([1, *results.budgets])
    lines = []
    for name in results.methods:
        courses = np.array([_course(one, places) for one in results.curves[name, longest]])
        found = [median(results.values(name, renders)) for renders in (0, *results.budgets)]
        y, low, high = ([getattr(one, end) for one in found] for end in ("value", "low", "high"))
        lines.append(Line(name, places, np.median(courses, axis=0), name == RETRIEVAL, (ends, y, low, high)))
    ticks = {float(one): f"{one:,}" if one > 1 else "first" for one in ends}
    across = f"renders (lines: matches with {longest:,}; dots: matches of that length)"
    draw(path, {heading: lines}, across, "median distance of the best (dB)", ticks)


def _course(curve: Curve, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Best distances after so many renders; NaN before the first that succeeded."""
    known = np.searchsorted(curve[:, 0], places, side="right") - 1
    return np.where(known >= 0, curve[known, 1], np.nan) if len(curve) else np.full(len(places), np.nan)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="test view with audio, such as dexed-100k/test.h5")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results; a later run goes on from it")
    parser.add_argument("--model", action="append", default=[], metavar="NAME=PATH", help="checkpoint or model folder")
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--budgets", type=int, nargs="+", default=list(BUDGETS))
    parser.add_argument("--seed", type=int, default=0, help="of the choice of rows and of the search")
    parser.add_argument("--workers", type=int, default=available_cores())
    parser.add_argument("--table", action="store_true", help="only show what there is")
    options = parser.parse_args()
    try:
        jobs = list(make_jobs(options, methods_of(options)))
        path = options.out / "matches.jsonl"
        done = read_done(path)
        todo = [job for job in jobs if job.key not in done]
        if todo and not options.table:
            run_all(todo, path, options.workers)
        results = collect(jobs, read_done(path))
        synth = rows_of(options.data).synth
        heading = f"{synth.title}: {results.targets} targets, matches by their start"
        print("\n" + write_results(results, options.out, heading))
    except UserError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
