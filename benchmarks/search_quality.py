r"""How close the matcher comes for a number of renders, beside three simpler ways, in one run.

    python benchmarks/search_quality.py --out results            # all of it: about an hour on two cores
    python benchmarks/search_quality.py --out results --targets 2 --budgets 500 2000
    python benchmarks/search_quality.py --out results/vital --synth vital --targets 8 --budgets 2000 --reference 500 \
        --methods search retrieval

Targets are patches drawn from the synth's own prior with a seed that nothing else uses, played on note 60, held 1.5 s,
2 s long; draws quieter than −50 dB are drawn again. Distances are those of the search objective, and ratios are to the
best of `--reference` other prior draws. Every (method, target, budget) is stored as it is done, so a run that was
stopped goes on where it was.

    search       `wav2patch match`: retrieval from the prior, then the climbers
    cma-es       retrieval with a tenth of the budget, then diagonal CMA-ES (pycma) on the ordered parameters
    retrieval    the best of so many draws from the prior
    random       the best of so many uniform draws
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path

# One thread for the linear algebra of a worker: there is a worker a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import cma
import numpy as np

from wav2patch.audio.channels import to_mono
from wav2patch.audio.target import Target
from wav2patch.files import write_text
from wav2patch.matching.budget import Budget
from wav2patch.matching.evaluator import Evaluator
from wav2patch.matching.proposers import PriorProposer
from wav2patch.matching.search import retrieve, search
from wav2patch.metrics.objective import Objective
from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.priors import Prior, UniformPrior, draw
from wav2patch.rendering.base import Sound
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.synths.base import Synth
from wav2patch.synths.catalogue import load_synth

TARGET_SEED, SEARCH_SEED, REFERENCE_SEED = 20261120, 1, 2
SOUND = Sound(Note(60, 100, 0.0, 1.5), 2.0, 44100)
BUDGETS = (500, 2000, 6000, 20000)


@cache
def synth(name: str) -> Synth:
    """One engine a process."""
    return load_synth(name)


def target_patch(engine: Synth, index: int) -> Patch:
    """Draw number `index`, drawn again while it is nearly silent."""
    for attempt in range(100):
        patch = draw(engine.prior(), TARGET_SEED, index, attempt)
        if np.sqrt(np.square(render(engine, patch)).mean()) > 10 ** (-50 / 20):
            return patch
    raise RuntimeError("a hundred silent draws in a row")


def render(engine: Synth, patch: Patch) -> np.ndarray:
    return to_mono(engine.render(patch, SOUND.note, length=SOUND.length, sample_rate=SOUND.sample_rate))


def make_target(engine: Synth, index: int) -> Target:
    audio = render(engine, target_patch(engine, index))[None]
    return Target(audio, 44100, SOUND.note, None, 0.0, 0.0, 0.0, 0.0, 22050.0, f"draw {index}", 0.0, 2.0, True, ())


def make_evaluator(engine: Synth, target: Target, renders: int) -> Evaluator:
    objective = Objective(target.mono, target.sample_rate)
    return Evaluator(engine.space, InlineRenderer(engine), SOUND, objective, Budget(renders=renders))


def run_search(prior: Prior, target: Target, evaluator: Evaluator, generator: np.random.Generator) -> None:
    search(target, evaluator, [PriorProposer(prior)], prior, generator)


def run_draws(prior: Prior, target: Target, evaluator: Evaluator, generator: np.random.Generator) -> None:
    retrieve(target, evaluator, [PriorProposer(prior, share=1.0)], generator)


def run_uniform(prior: Prior, target: Target, evaluator: Evaluator, generator: np.random.Generator) -> None:
    run_draws(UniformPrior(prior.space), target, evaluator, generator)


def run_cma(prior: Prior, target: Target, evaluator: Evaluator, generator: np.random.Generator) -> None:
    retrieve(target, evaluator, [PriorProposer(prior)], generator)
    space, start = prior.space, evaluator.ranking()[0].patch
    ordered = np.flatnonzero(~space.is_categorical)
    low, span = space.low[ordered], (space.high - space.low)[ordered]
    while not evaluator.budget.exhausted:
        options = {"seed": int(generator.integers(1, 2**31)), "verbose": -9, "bounds": [0, 1], "CMA_diagonal": True}
        strategy = cma.CMAEvolutionStrategy((start[ordered] - low) / span, 0.1, options)
        while not strategy.stop() and not evaluator.budget.exhausted:
            asked = strategy.ask()
            patches = np.repeat(start[None], len(asked), axis=0)
            patches[:, ordered] = low + np.stack(asked) * span
            distances = evaluator(list(space.snap(patches)), "cma-es")
            if len(distances) == len(asked):
                strategy.tell(asked, distances.tolist())
        start = evaluator.ranking()[0].patch


METHODS = {"search": run_search, "cma-es": run_cma, "retrieval": run_draws, "random": run_uniform}
# What a draw brings does not depend on the budget: one long run answers for all.
ANYTIME = ("retrieval", "random")


@dataclass(frozen=True)
class Job:
    method: str
    index: int
    renders: int
    synth: str
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / f"{self.method}_{self.index:03d}_{self.renders:06d}.json"


def work(job: Job) -> str:
    if not job.path.exists():
        engine = synth(job.synth)
        target = make_target(engine, job.index)
        evaluator = make_evaluator(engine, target, job.renders)
        run = METHODS["retrieval"] if job.method == "reference" else METHODS[job.method]
        seed = REFERENCE_SEED if job.method == "reference" else SEARCH_SEED
        run(engine.prior(), target, evaluator, np.random.default_rng([seed, job.index]))
        curve = [(i.renders, i.distance) for i in evaluator.improvements]
        write_text(job.path, json.dumps({"curve": curve, "seconds": evaluator.budget.spent_seconds}))
    return job.path.name


def jobs(options: argparse.Namespace) -> Iterator[Job]:
    """The small budgets first, so that a run that is stopped early has something to show."""
    for index in range(options.targets):
        yield Job("reference", index, options.reference, options.synth, options.out)
    for renders, method, index in product(sorted(options.budgets), options.methods, range(options.targets)):
        if method not in ANYTIME or renders == max(options.budgets):
            yield Job(method, index, renders, options.synth, options.out)


def best_after(options: argparse.Namespace, method: str, index: int, renders: int) -> float:
    limit = max(options.budgets) if method in ANYTIME else renders
    told = json.loads(Job(method, index, limit, options.synth, options.out).path.read_text())
    return min(distance for at, distance in told["curve"] if at <= renders)


def table(options: argparse.Namespace) -> str:
    count, budgets = options.targets, options.budgets
    reference = np.array([best_after(options, "reference", i, options.reference) for i in range(count)])
    lines = [
        f"Best of {options.reference:,} prior draws: {reference.mean():.2f} dB in the mean of {count} targets.",
        "",
    ]
    lines += ["| method | " + " | ".join(f"{b:,} renders" for b in budgets) + " |", "|---|" + "---:|" * len(budgets)]
    for method in options.methods:
        cells = []
        for renders in budgets:
            found = np.array([best_after(options, method, i, renders) for i in range(count)])
            error = 1.96 * found.std(ddof=1) / np.sqrt(count) if count > 1 else np.nan
            cells.append(f"{found.mean():.2f} ± {error:.2f} dB ({found.mean() / reference.mean():.0%})")
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the results; a later run goes on from it")
    parser.add_argument("--targets", type=int, default=16)
    parser.add_argument("--budgets", type=int, nargs="+", default=list(BUDGETS))
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--synth", default="dexed")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--reference", type=int, default=1000, help="prior draws whose best the ratios are to")
    options = parser.parse_args()
    todo = list(jobs(options))
    with get_context("spawn").Pool(options.workers) as pool:
        for done, name in enumerate(pool.imap_unordered(work, todo), start=1):
            print(f"{done}/{len(todo)} {name}", flush=True)
    print(table(options))


if __name__ == "__main__":
    main()
