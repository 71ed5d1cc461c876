r"""Sound matching on one note: estimators with and without a proxy, InverSynth, InverSynth II, and the matcher.

    wav2patch data generate synth=dexed notes=C4 length=2 count=62k seed=5 features=log_mel_level:hop=0.02,mel128 \
        audio=none out=both
    wav2patch data subset both train=58k val=2k test=2k
    wav2patch data generate synth=dexed notes=C4 length=2 count=220k seed=9 features=mel128 audio=none out=heard
    wav2patch data subset heard train=216k val=2k test=2k
    wav2patch data generate synth=dexed notes=C4 length=2 count=256 seed=77 out=unseen
    wav2patch data subset unseen test=256
    python benchmarks/sound_matching.py --data both --proxy-data heard --targets unseen/test.h5 --out results/matching

A proxy is trained, `--proxy-steps` of it, and, at equal steps, the estimators of Combes et
al. (JAES 2025), by parameters alone, mixed and switched over to the proxy, and InverSynth and InverSynth II
(`experiment=dexed_estimator/…`). Each target, unseen, is answered

* with one render: what a network says first;
* with 31 renders: the best of InverSynth II's answers drawn from its softmax, and of those that its decoder chooses
  from many (`--draws`); InverSynth II finetuned for 30 steps, its encoder's weights and its answer alone; and the
  matcher, from draws of the prior alone and from the models that come along, or others (`--models`).

Answers are rendered on the real synth and measured by the panel of `compare`, with 95% intervals. Runs lie below
`--out`: one that was stopped goes on, one that is finished is left alone. Written is what `wav2patch evaluate`
writes: `table.md`, `.csv`, `.tex` and all values.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

# One thread a run: there is a run a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from answering import STEPS, Answer, Target, answer_finetuned, chosen, said, training_batches, weights_finetuned
from evaluating import evaluate_rendered
from runs import QUIET, train_all
from starts import target_of
from wav2patch.datasets.views.view import open_view
from wav2patch.evaluation.baselines import Propose
from wav2patch.evaluation.rows import Row, ViewRows
from wav2patch.evaluation.table import to_markdown
from wav2patch.evaluation.trained import TrainedMethod
from wav2patch.matching.budget import Budget
from wav2patch.matching.evaluator import Evaluator
from wav2patch.matching.learned import LearnedProposer, shipped_proposers
from wav2patch.matching.proposers import PriorProposer, Proposer
from wav2patch.matching.search import search
from wav2patch.metrics.objective import Objective
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.synths.base import Synth
from wav2patch.training.run import RunResult
from wav2patch.training.saving import Trained, load_trained
from wav2patch.weights.proposals import Proposals

METHODS = {
    "parameters": "estimator, parameter loss",
    "mix": "estimator, mixed",
    "switch": "estimator, switched",
    "is": "InverSynth",
    "is2": "InverSynth II",
}
WITH_PROXY = ("mix", "switch")
RENDERS = STEPS + 1
SEED = 3


def words(method: str, options: argparse.Namespace, proxy: Path) -> list[str]:
    """What ``wav2patch train`` would be given."""
    steps = options.steps
    found = [
        *(f"experiment={options.synth}_estimator/{method}", f"out={options.out / 'runs'}", f"name={steps}"),
        *(f"data.folder={options.data}", "data.workers=0", f"trainer.max_steps={steps}"),
        *(
            f"trainer.val_every={max(1, steps // 4)}",
            "trainer.checkpoint_every=200",
            f"module.warmup_steps={steps // 25}",
        ),
        *("module.mask_inaudible=true", f"trainer.precision={options.precision}", *QUIET),
    ]
    if method in ("parameters", *WITH_PROXY):
        found.append(f"inverter.ramp=[{steps // 3},{2 * steps // 3}]")
    if method in WITH_PROXY:
        found += [f"inverter.proxy.name={options.proxy}", f"init='{proxy}'"]
    return found


def proxy_words(options: argparse.Namespace) -> list[str]:
    """Of the proxy."""
    steps = options.proxy_steps
    return [
        *(f"experiment={options.synth}_proxy/{options.proxy}", f"out={options.out / 'runs'}", f"name={steps}"),
        *(
            f"data.folder={options.proxy_data or options.data}",
            "data.workers=0",
            f"trainer.max_steps={steps}",
            "inverter.draws=64",
        ),
        *(
            f"trainer.val_every={max(1, steps // 4)}",
            "trainer.checkpoint_every=200",
            f"module.hold_steps={steps // 80}",
        ),
        *(f"trainer.precision={options.precision}", *QUIET),
    ]


@dataclass(frozen=True)
class Answering:
    """The best answer of a trained InverSynth II that may be rendered 31 times.

    Attributes:
        checkpoint: Of the network.
        words: That it was trained with.
        way: ``drawn``, ``chosen`` of a number of draws, ``weights`` or ``answer`` finetuned at a rate.
        value: The number, or the rate.
        jobs: Processes that answer.
    """

    checkpoint: Path
    words: Sequence[str]
    way: str
    value: float
    jobs: int

    def __call__(self, rows: Sequence[Row], n: int, seed: int) -> list[Proposals]:
        """See `Propose`."""
        shares = [rows[start :: self.jobs] for start in range(self.jobs)]
        with get_context("spawn").Pool(self.jobs) as pool:
            found = pool.map(self.answer, shares)
        return [found[number % self.jobs][number // self.jobs] for number in range(len(rows))]

    def answer(self, rows: Sequence[Row]) -> list[Proposals]:
        """Answers for some targets, in a process of their own."""
        torch.set_num_threads(1)
        trained = load_trained(self.checkpoint)
        way, space = self._way(trained), trained.synth.space
        vectors = [way(trained, Target(trained.synth, row, trained))[0].numpy() for row in rows]
        return [Proposals(space.decode((vector[None] + 1.0) / 2.0)) for vector in vectors]

    def _way(self, trained: Trained) -> Callable[[Trained, Target], Answer]:
        if self.way == "drawn":
            return partial(said, answers=RENDERS)
        if self.way == "chosen":
            return partial(chosen, answers=RENDERS, draws=int(self.value))
        if self.way == "weights":
            return partial(weights_finetuned, batches=training_batches(self.words, trained), rate=self.value)
        return partial(answer_finetuned, rate=self.value)


class Matching:
    """The matcher with 31 renders, from what models propose and from draws of the prior."""

    def __init__(self, synth: Synth, learned: Sequence[Proposer] = ()) -> None:
        self.synth = synth
        self.proposers = [*learned, PriorProposer(synth.prior())]

    def __call__(self, rows: Sequence[Row], n: int, seed: int) -> list[Proposals]:
        """See `Propose`."""
        return [self._match(row) for row in rows]

    def _match(self, row: Row) -> Proposals:
        target = target_of(row)
        objective = Objective(target.mono, target.sample_rate, target.bandwidth)
        evaluator = Evaluator(
            self.synth.space, InlineRenderer(self.synth), row.sound(), objective, Budget(renders=RENDERS)
        )
        search(target, evaluator, self.proposers, self.synth.prior(), np.random.default_rng([SEED, row.index]))
        assert evaluator.best is not None
        return Proposals(evaluator.best.patch[None])


def methods_of(results: Mapping[str, RunResult], synth: Synth, options: argparse.Namespace) -> dict[str, Propose]:
    """All ways of answering, by what tables call them."""
    found: dict[str, Propose] = {}
    for method, title in METHODS.items():
        if method in results:
            found[title] = TrainedMethod(load_trained(results[method].last))
    if "is2" in results:
        found |= _answering(results["is2"].last, options)
    found["the matcher, draws alone"] = Matching(synth)
    if options.models is None:
        learned = shipped_proposers(synth)
    else:
        learned = [LearnedProposer(model, synth) for model in options.models]
    if learned:
        found["the matcher"] = Matching(synth, learned)
    return found


def _answering(checkpoint: Path, options: argparse.Namespace) -> dict[str, Propose]:
    """All ways in which InverSynth II answers with 31 renders."""
    ways = {f"best of {RENDERS} drawn": ("drawn", 0.0)}
    ways |= {f"best of {RENDERS} that its decoder chose from {one:,}": ("chosen", one) for one in options.draws}
    ways |= {f"weights finetuned at {rate:g}": ("weights", rate) for rate in options.weight_rates}
    ways |= {f"answer finetuned at {rate:g}": ("answer", rate) for rate in options.answer_rates}
    told = words("is2", options, Path())
    return {
        f"InverSynth II, {name}": Answering(checkpoint, told, way, value, options.jobs)
        for name, (way, value) in ways.items()
    }


def trained(options: argparse.Namespace) -> dict[str, RunResult]:
    """All runs by their methods: the proxy beside those that take none, then those that begin from it."""
    later = [method for method in options.methods if method in WITH_PROXY]
    first = {"proxy": proxy_words(options)} if later else {}
    first |= {method: words(method, options, Path()) for method in options.methods if method not in WITH_PROXY}
    results = train_all(first, options.jobs)
    results |= train_all({method: words(method, options, results["proxy"].last) for method in later}, options.jobs)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the views train and val")
    parser.add_argument("--targets", required=True, help="test view with audio, that no run has seen")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--synth", default="dexed", choices=["dexed", "vital"])
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--steps", type=int, default=20_000, help="of each method")
    parser.add_argument("--proxy", default="rn_oh", help="method of `experiment=…_proxy/…`")
    parser.add_argument("--proxy-steps", type=int, default=10_000)
    parser.add_argument("--proxy-data", type=Path, help="folder of a larger data set with mel128 alone, for the proxy")
    parser.add_argument("--rows", type=int, default=128, help="targets")
    parser.add_argument(
        "--models", type=Path, nargs="*", help="that the matcher starts from; else those that come along"
    )
    parser.add_argument("--draws", type=int, nargs="*", default=[1000], help="that a decoder chooses from")
    parser.add_argument("--weight-rates", type=float, nargs="*", default=[1e-4])
    parser.add_argument("--answer-rates", type=float, nargs="*", default=[0.3])
    parser.add_argument("--precision", default="32-true", help="bf16-mixed is faster where processors have it")
    parser.add_argument("--jobs", type=int, default=max(1, os.cpu_count() or 1), help="runs side by side")
    options = parser.parse_args()
    results = trained(options)
    torch.set_num_threads(1)
    rows = ViewRows(open_view(options.targets), options.rows)
    found = evaluate_rendered(methods_of(results, rows.synth, options), rows, options.out, options.jobs)
    print(to_markdown(found))


if __name__ == "__main__":
    main()
