r"""InverSynth II on its FM synth: nine parameters, 104 classes, with and without finetuning at test time.

    python benchmarks/inversynth.py --out results/inversynth --steps 12000 --rows 20     # hours on two cores

Three methods are trained at equal steps: `is`, classes alone; `is2_published`, whose decoder reads logits and learns
from what the encoder says; `is2`, whose decoder reads probabilities and learns from true patches too. Runs lie below
`--out`; one that was stopped goes on. Then each target, unseen, is answered

* once, as the network says it;
* finetuned for 30 steps with 31 renders: the encoder's weights, or its answer alone;
* with 31 renders of answers drawn from the softmax, the likeliest first, which is what finetuning has to beat.

Distances are of the search objective between the target and the answer, rendered on the synth itself. `alike` counts
targets whose answer is within 0.05 dB. Written are `inversynth.md` and `.csv`; every distance is in `distances.json`.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

# One thread a run: there is a run a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import Tensor

from wav2patch.configs.composing import compose_settings
from wav2patch.evaluation.intervals import mean_estimate
from wav2patch.evaluation.rows import Row, TensorRows
from wav2patch.evaluation.text_tables import comma_separated, markdown
from wav2patch.files import write_text
from wav2patch.metrics.objective import Objective
from wav2patch.models.inverters.base import Examples
from wav2patch.synths.catalogue import load_synth
from wav2patch.training.examples import Translation
from wav2patch.training.finetuning import finetune_answer, finetune_weights
from wav2patch.training.making import finished, make_data, standardize
from wav2patch.training.run import fit
from wav2patch.training.saving import Trained, load_trained

SYNTH, METHODS = "inversynth_fm", ("is", "is2_published", "is2")
ALIKE, STEPS = 0.05, 30
SAMPLES, SAMPLE_RATE = 16_384, 16_384


def words(method: str, options: argparse.Namespace) -> list[str]:
    """What ``wav2patch train`` would be given."""
    rhythm = (f"trainer.val_every={max(1, min(1000, options.steps))}", "trainer.checkpoint_every=250")
    return [
        *(f"experiment={SYNTH}/{method}", f"out={options.out / 'runs'}", f"name={options.steps}"),
        *(f"trainer.max_steps={options.steps}", *rhythm, "trainer.accelerator=cpu", "data.val_rows=512"),
        *("callbacks.parameter_errors=0", "callbacks.pictures=false", "logging.tensorboard=false"),
        *options.words,
    ]


def train(job: tuple[str, argparse.Namespace]) -> tuple[str, Path]:
    """One run, in a process of its own."""
    torch.set_num_threads(1)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    method, options = job
    result = fit(compose_settings(words(method, options)))
    told = ", ".join(f"{name} {value:.4f}" for name, value in result.metrics.items() if name.startswith("val"))
    print(f"{method}: {result.state}, {result.steps} steps in {result.seconds / 60:.1f} min, {told}", flush=True)
    return method, result.last


class Target:
    """A sound to be found, and how far answers are from it."""

    def __init__(self, synth: Any, row: Row, trained: Trained) -> None:
        self.synth, self.row = synth, row
        self.objective = Objective(row.audio[0], SAMPLE_RATE)
        self.features = torch.from_numpy(trained.hearing(row.audio, SAMPLE_RATE))

    def distance(self, vector: Tensor) -> float:
        """Of the sound of a vector ``(D,)`` in [−1, 1]."""
        patch = self.synth.space.decode((vector.numpy()[None] + 1.0) / 2.0)
        audio = self.synth.render_batch(patch, SAMPLES, SAMPLE_RATE).numpy()
        return float(self.objective(audio[0]))


def training_batches(method: str, options: argparse.Namespace, trained: Trained) -> Iterator[Examples]:
    """Rows that the run has learnt from, batch after batch."""
    settings = compose_settings(words(method, options))
    data = make_data(settings.data)
    standardize(data, settings.data, options.out / "runs" / SYNTH / method / str(options.steps) / "standard.npz")
    data.setup("fit")
    translation = Translation(trained.record)
    while True:
        for batch in data.make_train_loader():
            yield translation(finished(data, batch))


def first(trained: Trained, target: Target) -> float:
    """Of what the network says."""
    return target.distance(trained.inverter.propose_batch(target.features[None], None, 1, _chance(target))[0, 0])


def drawn(trained: Trained, target: Target) -> float:
    """Of the best of 31 answers."""
    answers = trained.inverter.propose_batch(target.features[None], None, STEPS + 1, _chance(target))[0]
    return min(map(target.distance, answers))


def weights(trained: Trained, target: Target, batches: Iterator[Examples], rate: float) -> float:
    """Of the best answer while the encoder's weights are finetuned."""
    inverter: Any = trained.inverter
    found = finetune_weights(
        inverter, target.features, None, target.distance, batches, steps=STEPS, learning_rate=rate
    )  # fmt: skip
    return found.distance


def answer(trained: Trained, target: Target, rate: float) -> float:
    """Of the best answer while it is finetuned itself."""
    inverter: Any = trained.inverter
    return finetune_answer(inverter, target.features, None, target.distance, steps=STEPS, learning_rate=rate).distance


def _chance(target: Target) -> torch.Generator:
    return torch.Generator().manual_seed(target.row.number)


def test(method: str, checkpoint: Path, options: argparse.Namespace) -> dict[str, list[float]]:
    """Distances of all targets, by the way of answering."""
    torch.set_num_threads(1)
    trained, synth = load_trained(checkpoint), load_synth(SYNTH)
    rows = TensorRows(synth, options.rows, samples=SAMPLES, sample_rate=SAMPLE_RATE)  # pyright: ignore[reportArgumentType]
    ways: dict[str, Callable[[Target], float]] = {
        "1 render": partial(first, trained),
        "31 renders, drawn": partial(drawn, trained),
    }
    if method != "is":
        batches = training_batches(method, options, trained)
        for rate in options.weight_rates:
            ways[f"31 renders, weights finetuned at {rate:g}"] = partial(
                weights, trained, batches=batches, rate=rate
            )  # fmt: skip
        for rate in options.answer_rates:
            ways[f"31 renders, answer finetuned at {rate:g}"] = partial(answer, trained, rate=rate)
    targets = [Target(synth, row, trained) for row in rows.read(range(len(rows)))]
    found = {}
    for name, way in ways.items():
        found[f"{method}, {name}"] = [way(target) for target in targets]
        print(f"{method}, {name}: {np.mean(found[f'{method}, {name}']):.3f} dB", flush=True)
    return found


def table(found: Mapping[str, Sequence[float]]) -> tuple[list[str], list[list[str]]]:
    """Head and rows."""
    rows = []
    for name, distances in found.items():
        values = np.array(distances)
        mean = mean_estimate(values)
        half = (mean.high - mean.low) / 2
        alike = f"{int((values <= ALIKE).sum())} of {len(values)}"
        rows.append([name, f"{mean.value:.3f} ± {half:.3f}", f"{np.median(values):.3f}", alike])
    return ["method", "mean distance (dB)", "median (dB)", f"within {ALIKE} dB"], rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/inversynth"))
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--rows", type=int, default=20, help="targets")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--weight-rates", type=float, nargs="*", default=[1e-4, 1e-3])
    parser.add_argument("--answer-rates", type=float, nargs="*", default=[0.3])
    parser.add_argument("--words", nargs="*", default=[], help="further settings, as `wav2patch train` takes them")
    parser.add_argument("--jobs", type=int, default=max(1, os.cpu_count() or 1), help="runs side by side")
    options = parser.parse_args()
    with get_context("spawn").Pool(options.jobs, maxtasksperchild=1) as pool:
        trained = dict(pool.imap(train, [(method, options) for method in options.methods], chunksize=1))
    found: dict[str, list[float]] = {}
    for method, checkpoint in trained.items():
        found |= test(method, checkpoint, options)
    head, rows = table(found)
    text = f"InverSynth's FM synth: {options.rows} unseen targets, {options.steps:,} steps\n\n"
    text += markdown(head, rows, numbers=1)
    write_text(options.out / "inversynth.md", text)
    write_text(options.out / "inversynth.csv", comma_separated(head, rows))
    write_text(options.out / "distances.json", json.dumps(found, indent=1) + "\n")
    print(f"\n{text}")


if __name__ == "__main__":
    main()
