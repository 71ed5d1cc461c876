"""How close the matcher comes for a number of renders, beside three simpler ways, in one run.

    python benchmarks/search_quality.py --out results            # all of it: about an hour on two cores
    python benchmarks/search_quality.py --out results --targets 2 --budgets 500 2000

Targets are patches drawn from the shipped DX7 prior with a seed that nothing else uses, played on note 60, held 1.5 s,
2 s long; draws quieter than −50 dB are drawn again. Distances are those of the search objective, and ratios are to the
best of 1,000 other prior draws. Every (method, target, budget) is stored as it is done, so a run that was stopped goes
on where it was.

    search       `wav2patch match`: retrieval from the prior, then the climbers
    cma-es       retrieval with a tenth of the budget, then diagonal CMA-ES (pycma) on the 123 ordered parameters
    retrieval    the best of so many draws from the prior
    random       the best of so many uniform draws
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from itertools import product
from multiprocessing import get_context
from pathlib import Path

# One thread for the linear algebra of a worker: there is a worker a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import cma
import numpy as np

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
from wav2patch.synths.catalogue import load_synth

TARGET_SEED, SEARCH_SEED, REFERENCE_SEED = 20261120, 1, 2
SOUND = Sound(Note(60, 100, 0.0, 1.5), 2.0, 44100)
BUDGETS = (500, 2000, 6000, 20000)
SYNTH = load_synth("dexed")


def target_patch(index: int) -> Patch:
    """Draw number `index`, drawn again while it is nearly silent."""
    for attempt in range(100):
        patch = draw(SYNTH.prior(), TARGET_SEED, index, attempt)
        if np.sqrt(np.square(render(patch)).mean()) > 10 ** (-50 / 20):
            return patch
    raise RuntimeError("a hundred silent draws in a row")


def render(patch: Patch) -> np.ndarray:
    return SYNTH.render(patch, SOUND.note, length=SOUND.length, sample_rate=SOUND.sample_rate)[0]


def make_target(index: int) -> Target:
    audio = render(target_patch(index))[None]
    return Target(audio, 44100, SOUND.note, None, 0.0, 0.0, 0.0, 0.0, 22050.0, f"draw {index}", 0.0, 2.0, True, ())


def make_evaluator(target: Target, renders: int) -> Evaluator:
    objective = Objective(target.mono, target.sample_rate)
    return Evaluator(SYNTH.space, InlineRenderer(SYNTH), SOUND, objective, Budget(renders=renders))


def run_search(target: Target, evaluator: Evaluator, generator: np.random.Generator) -> None:
    search(target, evaluator, [PriorProposer(SYNTH.prior())], SYNTH.prior(), generator)


def run_draws(prior: Prior) -> Callable[[Target, Evaluator, np.random.Generator], None]:
    def run(target: Target, evaluator: Evaluator, generator: np.random.Generator) -> None:
        retrieve(target, evaluator, [PriorProposer(prior, share=1.0)], generator)

    return run


def run_cma(target: Target, evaluator: Evaluator, generator: np.random.Generator) -> None:
    retrieve(target, evaluator, [PriorProposer(SYNTH.prior())], generator)
    space, start = SYNTH.space, evaluator.ranking()[0].patch
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


METHODS = {
    "search": run_search,
    "cma-es": run_cma,
    "retrieval": run_draws(SYNTH.prior()),
    "random": run_draws(UniformPrior(SYNTH.space)),
}
# What a draw brings does not depend on the budget: one long run answers for all.
ANYTIME = ("retrieval", "random")


def work(job: tuple[str, int, int, str]) -> str:
    method, index, renders, folder = job
    path = Path(folder) / f"{method}_{index:03d}_{renders:06d}.json"
    if not path.exists():
        target = make_target(index)
        evaluator = make_evaluator(target, renders)
        run = METHODS["retrieval"] if method == "reference" else METHODS[method]
        seed = REFERENCE_SEED if method == "reference" else SEARCH_SEED
        run(target, evaluator, np.random.default_rng([seed, index]))
        curve = [(i.renders, i.distance) for i in evaluator.improvements]
        write_text(path, json.dumps({"curve": curve, "seconds": evaluator.budget.spent_seconds}))
    return path.name


def jobs(targets: int, budgets: list[int], folder: Path) -> Iterator[tuple[str, int, int, str]]:
    """The small budgets first, so that a run that is stopped early has something to show."""
    for index in range(targets):
        yield "reference", index, 1000, str(folder)
    for renders, method, index in product(sorted(budgets), METHODS, range(targets)):
        if method not in ANYTIME or renders == max(budgets):
            yield method, index, renders, str(folder)


def best_after(folder: Path, method: str, index: int, renders: int, budgets: list[int]) -> float:
    limit = max(budgets) if method in ANYTIME else renders
    told = json.loads((folder / f"{method}_{index:03d}_{limit:06d}.json").read_text())
    return min(distance for at, distance in told["curve"] if at <= renders)


def table(targets: int, budgets: list[int], folder: Path) -> str:
    reference = np.array([best_after(folder, "reference", i, 1000, [1000]) for i in range(targets)])
    lines = [f"Best of 1,000 prior draws: {reference.mean():.2f} dB in the mean of {targets} targets.", ""]
    lines += ["| method | " + " | ".join(f"{b:,} renders" for b in budgets) + " |", "|---|" + "---:|" * len(budgets)]
    for method in METHODS:
        cells = []
        for renders in budgets:
            found = np.array([best_after(folder, method, i, renders, budgets) for i in range(targets)])
            error = 1.96 * found.std(ddof=1) / np.sqrt(targets) if targets > 1 else np.nan
            cells.append(f"{found.mean():.2f} ± {error:.2f} dB ({found.mean() / reference.mean():.0%})")
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the results; a later run goes on from it")
    parser.add_argument("--targets", type=int, default=16)
    parser.add_argument("--budgets", type=int, nargs="+", default=list(BUDGETS))
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    todo = list(jobs(options.targets, options.budgets, options.out))
    with get_context("spawn").Pool(options.workers) as pool:
        for done, name in enumerate(pool.imap_unordered(work, todo), start=1):
            print(f"{done}/{len(todo)} {name}", flush=True)
    print(table(options.targets, options.budgets, options.out))


if __name__ == "__main__":
    main()
