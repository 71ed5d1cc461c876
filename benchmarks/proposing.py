r"""How close the first proposals of models come, without any search: the best of 16, 64, 512, … renders.

    wav2patch data generate synth=dexed notes=wide count=128 seed=77 out=dexed-unseen
    wav2patch data subset dexed-unseen test=128
    python benchmarks/proposing.py --data dexed-unseen/test.h5 --out results/proposing --rows 64 \
        --model proxy=runs/dexed/contrastive/mine/checkpoints/last.ckpt --model near=src/wav2patch/pretrained/dexed

Targets are rows of a view with audio that no model has seen. Of each, as many patches as the largest number of renders
are taken from every model, in its order and each different one once, and as many draws of the synth's prior, which is
what retrieval by rendering has. All are rendered with the target's note; distances are of the search objective.

Checkpoints are exported to `--out`. Distances are stored there as they are found, so a run that was stopped goes on.
Written are `proposing.md`, `.csv` and `.png`: means over targets with intervals of 95%, and in how many targets a model
with N renders is at least as close as the prior with R.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from line_chart import Line, draw
from starts import RETRIEVAL, Method, methods_of, rows_of, target_of
from wav2patch.errors import UserError
from wav2patch.evaluation.intervals import mean_estimate
from wav2patch.evaluation.text_tables import comma_separated, markdown
from wav2patch.files import write_text
from wav2patch.matching.learned import LearnedProposer
from wav2patch.matching.proposers import PriorProposer, Proposer
from wav2patch.metrics.objective import Objective
from wav2patch.rendering.choose import available_cores

COUNTS = (1, 16, 64, 512, 1_000)
_SEED, _PLACES = 41, 40

Key = tuple[str, str, int]
"""A method's name and digest, and a row."""


@dataclass(frozen=True)
class Job:
    """The proposals of one method for one target."""

    data: str
    method: Method
    row: int
    renders: int

    @property
    def key(self) -> Key:
        return (self.method.name, self.method.digest, self.row)


def run(job: Job) -> tuple[Key, list[float]]:
    """Distances in the order of the proposals; NaN where a patch made no sound."""
    rows = rows_of(job.data)
    (row,) = rows.read([job.row])
    target = target_of(row)
    objective = Objective(target.mono, target.sample_rate, target.bandwidth)
    folder = job.method.folder
    proposer: Proposer = PriorProposer(rows.synth.prior()) if folder is None else LearnedProposer(folder, rows.synth)
    proposed = proposer.propose(target, np.random.default_rng([_SEED, job.row]))
    sounds = (
        rows.synth.render(patch, row.note, length=row.length, sample_rate=row.sample_rate).mean(axis=0)
        for patch in itertools.islice(proposed, job.renders)
    )
    return job.key, [float(objective(sound)) for sound in sounds]


def read_done(path: Path) -> dict[Key, NDArray[np.float64]]:
    """What was stored; the last line may be half written."""
    found: dict[Key, NDArray[np.float64]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            told = json.loads(line)
        except json.JSONDecodeError:
            continue
        name, digest, row = told["key"]
        found[(name, digest, row)] = np.array(told["distances"], dtype=np.float64)
    return found


def make_jobs(options: argparse.Namespace) -> Iterator[Job]:
    """Target after target, so that a run that is stopped early has something to show."""
    methods, most = methods_of(options), max(options.counts)
    for row in range(min(options.rows, len(rows_of(options.data)))):
        for method in methods:
            yield Job(options.data, method, row, most)


def run_all(jobs: Sequence[Job], path: Path, workers: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file, get_context("spawn").Pool(min(workers, len(jobs))) as pool:
        for done, (key, distances) in enumerate(pool.imap_unordered(run, jobs), start=1):
            file.write(json.dumps({"key": key, "distances": distances}) + "\n")
            file.flush()
            print(f"{done}/{len(jobs)} {key[0]}, row {key[2]}: {np.nanmin(distances):.2f} dB", flush=True)


def collect(jobs: Sequence[Job], done: Mapping[Key, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """By method, the best distance ``(targets, renders)`` after each render, of the targets that are complete."""
    lacking = {job.row for job in jobs if job.key not in done}
    courses: dict[str, list[NDArray[np.float64]]] = {}
    for job in jobs:
        if job.row not in lacking:
            distances = np.nan_to_num(done[job.key], nan=np.inf)
            # A model that has no more is where it was.
            padded = np.pad(distances, (0, max(0, job.renders - len(distances))), constant_values=np.inf)
            courses.setdefault(job.method.name, []).append(np.minimum.accumulate(padded[: job.renders]))
    if not courses:
        raise UserError("no target is complete yet: let the run go on.")
    return {name: np.array(values) for name, values in courses.items()}


def write_results(courses: Mapping[str, NDArray[np.float64]], counts: Sequence[int], out: Path, heading: str) -> str:
    """Tables and figure in a folder; returns the Markdown."""
    table, lines = [], []
    for name, course in courses.items():
        found = [mean_estimate(course[:, n - 1]) for n in counts]
        table.append([name, *(f"{one.value:.2f} ± {(one.high - one.low) / 2:.2f}" for one in found)])
        for n, one in zip(counts, found, strict=True):
            middle = float(np.median(course[:, n - 1]))
            lines.append([name, str(n), *(f"{v:.4f}" for v in (one.value, one.low, one.high, middle))])
    head = ["proposals by", *(f"best of {n:,}" for n in counts)]
    text = f"{heading}\n\nMean distance in dB:\n\n{markdown(head, table, numbers=1)}"
    text += f"\n{_beside_the_prior(courses, counts)}\n"
    write_text(out / "proposing.md", text)
    write_text(out / "proposing.csv", comma_separated(["proposals", "renders", "mean", "low", "high", "median"], lines))
    _draw(courses, counts, out / "proposing.png", heading)
    return text


def _beside_the_prior(courses: Mapping[str, NDArray[np.float64]], counts: Sequence[int]) -> str:
    """How many draws of the prior are as good, on average, as the first proposals of each model."""
    prior = courses[RETRIEVAL].mean(axis=0)
    told = []
    for name, course in courses.items():
        if name == RETRIEVAL:
            continue
        for n in counts:
            reached = int(np.searchsorted(-prior, -course[:, n - 1].mean()))
            much = f"{reached + 1:,}" if reached < len(prior) else f"more than {len(prior):,}"
            told.append(f"* {name}, best of {n:,}: as {much} draws of the prior")
    return "\n".join(told)


def _draw(courses: Mapping[str, NDArray[np.float64]], counts: Sequence[int], path: Path, heading: str) -> None:
    places = np.unique(np.geomspace(1, max(counts), _PLACES).round()).astype(int)
    lines = []
    for name, course in courses.items():
        found = [mean_estimate(course[:, n - 1]) for n in counts]
        y, low, high = ([getattr(one, end) for one in found] for end in ("value", "low", "high"))
        mean = course[:, places - 1].mean(axis=0)
        lines.append(Line(name, places, mean, name == RETRIEVAL, (np.array(counts), y, low, high)))
    draw(path, {heading: lines}, "renders", "mean distance of the best (dB)", {float(n): f"{n:,}" for n in counts})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="test view with audio")
    parser.add_argument("--out", type=Path, required=True, help="folder for the results; a later run goes on from it")
    parser.add_argument("--model", action="append", default=[], metavar="NAME=PATH", help="checkpoint or model folder")
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--counts", type=int, nargs="+", default=list(COUNTS), help="renders")
    parser.add_argument("--workers", type=int, default=available_cores())
    options: Any = parser.parse_args()
    try:
        jobs = list(make_jobs(options))
        path = options.out / f"distances-{max(options.counts)}.jsonl"
        todo = [job for job in jobs if job.key not in read_done(path)]
        if todo:
            run_all(todo, path, options.workers)
        courses = collect(jobs, read_done(path))
        targets = len(next(iter(courses.values())))
        heading = f"{rows_of(options.data).synth.title}: {targets} targets, the best of the first proposals"
        print("\n" + write_results(courses, sorted(options.counts), options.out, heading))
    except UserError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
