r"""InverSynth II on its FM synth: nine parameters, 104 classes, with and without finetuning at test time.

    python benchmarks/inversynth.py --out results/inversynth --steps 12000 --rows 20     # hours on two cores

or on nine of TAL-NoiseMaker with 105, where the plug-in is installed, with a data set whose test view has audio:

    wav2patch data generate synth=tal_noisemaker_9 notes="fixed pitch=70 velocity=127 duration=0.9" length=1 \
        sample_rate=16384 count=60k features=log_mel_level:window=0.03125:hop=0.0078125 out=tal
    wav2patch data subset tal train=58k val=1k test=1k duplicates=drop
    python benchmarks/inversynth.py --task inversynth_tal --data tal --out results/inversynth_tal

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
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

# One thread a run: there is a run a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from answering import STEPS, Answer, Target, answer_finetuned, said, training_batches, weights_finetuned
from runs import QUIET, train_all
from wav2patch.datasets.views.view import open_view
from wav2patch.evaluation.intervals import mean_estimate
from wav2patch.evaluation.rows import Rows, TensorRows, ViewRows
from wav2patch.evaluation.text_tables import comma_separated, markdown
from wav2patch.files import write_text
from wav2patch.synths.catalogue import load_synth
from wav2patch.synths.tensor.synth import TensorSynth
from wav2patch.training.saving import load_trained

TASKS, METHODS = ("inversynth_fm", "inversynth_tal"), ("is", "is2_published", "is2")
ALIKE = 0.05
SAMPLES, SAMPLE_RATE = 16_384, 16_384


def words(method: str, options: argparse.Namespace) -> list[str]:
    """What ``wav2patch train`` would be given."""
    rhythm = (f"trainer.val_every={max(1, min(1000, options.steps))}", "trainer.checkpoint_every=250")
    learnt = "data.val_rows=512" if options.data is None else f"data.folder={options.data}"
    return [
        *(f"experiment={options.task}/{method}", f"out={options.out / 'runs'}", f"name={options.steps}"),
        *(f"trainer.max_steps={options.steps}", *rhythm, learnt, *QUIET, *options.words),
    ]


def rows_of(options: argparse.Namespace) -> Rows:
    """Those of the data set, or those that a research synth is tested on."""
    if options.data is not None:
        return ViewRows(open_view(options.data / "test.h5"), options.rows)
    if options.task != TASKS[0]:
        raise SystemExit(f"{options.task} takes a data set: --data FOLDER, see --help")
    synth = load_synth(options.task)
    assert isinstance(synth, TensorSynth)
    return TensorRows(synth, options.rows, samples=SAMPLES, sample_rate=SAMPLE_RATE)


def test(method: str, checkpoint: Path, rows: Rows, options: argparse.Namespace) -> dict[str, list[float]]:
    """Distances of all targets, by the way of answering."""
    trained = load_trained(checkpoint)
    ways: dict[str, Callable[[Target], Answer]] = {
        "1 render": partial(said, trained, answers=1),
        f"{STEPS + 1} renders, drawn": partial(said, trained, answers=STEPS + 1),
    }
    if method != "is":
        batches = training_batches(words(method, options), trained)
        for rate in options.weight_rates:
            ways[f"{STEPS + 1} renders, weights finetuned at {rate:g}"] = partial(
                weights_finetuned, trained, batches=batches, rate=rate
            )
        for rate in options.answer_rates:
            ways[f"{STEPS + 1} renders, answer finetuned at {rate:g}"] = partial(answer_finetuned, trained, rate=rate)
    targets = [Target(rows.synth, row, trained) for row in rows.read(range(len(rows)))]
    found = {}
    for name, way in ways.items():
        found[f"{method}, {name}"] = [way(target)[1] for target in targets]
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
    parser.add_argument("--task", default=TASKS[0], choices=TASKS)
    parser.add_argument("--data", type=Path, help="folder with the views train, val and test")
    parser.add_argument("--out", type=Path, default=Path("results/inversynth"))
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--rows", type=int, default=20, help="targets")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--weight-rates", type=float, nargs="*", default=[1e-4, 1e-3])
    parser.add_argument("--answer-rates", type=float, nargs="*", default=[0.3])
    parser.add_argument("--words", nargs="*", default=[], help="further settings, as `wav2patch train` takes them")
    parser.add_argument("--jobs", type=int, default=max(1, os.cpu_count() or 1), help="runs side by side")
    options = parser.parse_args()
    tested = rows_of(options)
    trained = train_all({method: words(method, options) for method in options.methods}, options.jobs)
    found: dict[str, list[float]] = {}
    for method, result in trained.items():
        found |= test(method, result.last, tested, options)
    head, rows = table(found)
    text = f"{tested.synth.title}: {options.rows} unseen targets, {options.steps:,} steps\n\n"
    text += markdown(head, rows, numbers=1)
    write_text(options.out / "inversynth.md", text)
    write_text(options.out / "inversynth.csv", comma_separated(head, rows))
    write_text(options.out / "distances.json", json.dumps(found, indent=1) + "\n")
    print(f"\n{text}")


if __name__ == "__main__":
    main()
