r"""The k-osc comparison of Hayes et al. (ISMIR 2025, Figure 3) at a size for two CPU cores.

    make reproduce-kosc                                              # k = 4: an hour or two on two cores
    python benchmarks/reproduce_kosc.py --out results/kosc --k 4 8   # more oscillators
    python benchmarks/reproduce_kosc.py --out results/kosc --paper   # the paper's networks and steps: a GPU, days
    python benchmarks/reproduce_kosc.py --out results/kosc --paper --steps 40000 --jobs 4         # a GPU, for an hour

Every method learns the same synth twice: with its oscillators interchangeable, and with a frequency band for each,
which breaks the symmetry that the strict equivariant flow and the Chamfer loss still believe in. All methods have the
same encoder, batches, steps and learning rate. Runs lie below `--out`; a run that was stopped goes on, one that is
finished is left alone. Tested is the last checkpoint, on rows that no run has seen.

Written are `kosc.md`, `kosc.csv`, `kosc.png`, and for each synth what `wav2patch evaluate` writes.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# One thread a run: there is a run a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from matplotlib.figure import Figure

from runs import QUIET, train_all
from wav2patch.evaluation.baselines import baselines
from wav2patch.evaluation.files import write_evaluation
from wav2patch.evaluation.results import Evaluation
from wav2patch.evaluation.rows import TensorRows
from wav2patch.evaluation.run import evaluate
from wav2patch.evaluation.trained import TrainedMethod
from wav2patch.files import write_bytes, write_text
from wav2patch.synths.catalogue import load_synth
from wav2patch.training.run import RunResult
from wav2patch.training.saving import load_trained

METHODS: Mapping[str, str] = {
    "flow_equivariant": "flow, strictly equivariant",
    "flow_assigned": "flow, learnt assignment",
    "flow_mlp": "flow, MLP",
    "mse": "regression, MSE",
    "chamfer": "regression, Chamfer",
    "sorted": "regression, sorted",
}
"""Of the paper's figure."""

SMALL = (
    *("data.batch_size=256", "data.val_rows=512"),
    *("module.learning_rate=2e-3", "module.schedule=cosine", "module.warmup_steps=200", "module.ema=0.998"),
    # Not bf16: a processor without instructions for it is many times slower then.
    "trainer.precision=32-true",
    *QUIET,
    "inverter.encoder={name: mlp, hidden: 256, blocks: 3, heard: plain}",
)
FIELDS: Mapping[str, str] = {
    "flow_equivariant": "{name: equivariant_transformer, width: 64, layers: 3, hidden: 128, shared_condition: true}",
    "flow_assigned": "{name: assigned_transformer, width: 64, layers: 3, hidden: 128, shared_condition: true, "
    "parameter_tokens: '${data.k}', spread: 0.1, haste: 3, zero_gates: false}",
    "flow_mlp": "{name: mlp, width: 84, blocks: 5}",
}
"""Networks that two cores can train; the encoder has 0.7 million parameters, each field 0.2."""


@dataclass(frozen=True)
class Cell:
    """One training of the comparison."""

    method: str
    k: int
    symmetric: bool

    @property
    def synth(self) -> str:
        """What is learnt."""
        return f"kosc_{self.k}{'' if self.symmetric else '_asymmetric'}"

    def words(self, options: argparse.Namespace) -> list[str]:
        """What ``wav2patch train`` would be given."""
        words = [f"experiment=kosc/{self.method}", f"data.k={self.k}", f"data.symmetric={str(self.symmetric).lower()}"]
        words += [f"out={options.out / 'runs'}", f"name={self.synth}", f"seed={options.seed}"]
        steps = [f"trainer.{name}={value}" for name, value in _rhythm(options.steps).items()]
        if options.paper:
            return [*words, *steps]
        field = [f"++inverter.field={FIELDS[self.method]}"] if self.method in FIELDS else []
        return [*words, *SMALL, f"data.feature='{options.feature}'", *steps, *field]


def _rhythm(steps: int) -> dict[str, int]:
    return {"max_steps": steps, "val_every": min(1000, steps), "checkpoint_every": min(500, steps)}


def test(cells: Sequence[Cell], results: Mapping[Cell, RunResult], options: argparse.Namespace) -> Iterator[Evaluation]:
    """The evaluation of each synth."""
    for name in dict.fromkeys(cell.synth for cell in cells):
        synth: Any = load_synth(name)
        rows = TensorRows(synth, options.rows)
        methods: dict[str, Any] = {
            cell.method: TrainedMethod(load_trained(results[cell].last)) for cell in cells if cell.synth == name
        }
        found = evaluate({**methods, **baselines(rows.prior, options.seed)}, rows, seed=options.seed)
        write_evaluation(found, options.out / name)
        yield found


def lines(evaluations: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """One line a synth and method: each metric's mean with its 95% interval."""
    found = []
    for one in evaluations:
        for method in one.methods:
            line: dict[str, Any] = {"synth": one.synth, "method": method}
            for column in one.columns:
                estimate = one.mean(method, column)
                line |= {
                    column.name: estimate.value,
                    f"{column.name}_low": estimate.low,
                    f"{column.name}_high": estimate.high,
                }
            found.append(line)
    return found


def order(evaluations: Sequence[Evaluation]) -> list[tuple[str, bool]]:
    """What the paper says of the order, and whether it is so here, by the mean LSD."""
    said = []
    for one in evaluations:
        lsd = {method: _lsd(one, method) for method in one.methods}
        if not set(METHODS) <= lsd.keys():
            continue
        if one.synth.endswith("_asymmetric"):
            wins, fails = ("flow_assigned", "flow_mlp", "mse"), ("flow_equivariant", "chamfer")
        else:
            wins, fails = ("flow_equivariant", "flow_assigned"), ("mse",)
            others = [lsd[name] for name in ("flow_mlp", "chamfer", "sorted")]
            said.append((f"{one.synth}: {' and '.join(wins)} before all others", max(map(lsd.get, wins)) < min(others)))
        said.append(
            (
                f"{one.synth}: {' and '.join(fails)} behind all of {', '.join(wins)}",
                min(lsd[name] for name in fails) > max(lsd[name] for name in wins),
            )
        )
    return said


def _lsd(evaluation: Evaluation, method: str) -> float:
    column = next(one for one in evaluation.columns if one.name == "signal_lsd")
    return evaluation.mean(method, column).value


def draw(evaluations: Sequence[Evaluation]) -> bytes:
    """LSD of all methods, a panel a synth, with 95% intervals."""
    figure = Figure(figsize=(4.6 * len(evaluations), 3.6), layout="constrained")
    for place, one in enumerate(evaluations):
        axes = figure.add_subplot(1, len(evaluations), place + 1)
        column = next(c for c in one.columns if c.name == "signal_lsd")
        shown = [name for name in one.methods if name in METHODS]
        estimates = [one.mean(name, column) for name in shown]
        axes.barh(
            [METHODS[name] for name in shown],
            [estimate.value for estimate in estimates],
            xerr=[(estimate.high - estimate.low) / 2 for estimate in estimates],
            color=["#4c72b0" if name.startswith("flow") else "#dd8452" for name in shown],
        )
        axes.axvline(_lsd(one, "random"), color="black", linestyle="--", linewidth=1, label="random patches")
        axes.invert_yaxis()
        axes.set(xlabel="LSD (dB), less is better", title=one.synth.replace("_", " "))
        if place:
            axes.tick_params(labelleft=False)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower right", fontsize=8)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=130)
    return picture.getvalue()


def write(evaluations: Sequence[Evaluation], results: Mapping[Cell, RunResult], options: argparse.Namespace) -> str:
    """Table, figures and what is made of them; gives the table back."""
    table = io.StringIO()
    writer = csv.DictWriter(table, list(dict.fromkeys(key for line in lines(evaluations) for key in line)))
    writer.writeheader()
    writer.writerows(lines(evaluations))
    write_text(options.out / "kosc.csv", table.getvalue())
    write_bytes(options.out / "kosc.png", draw(evaluations))
    parts = [f"k-osc, {options.rows} test rows, means with 95% intervals; {_cost(results)}.\n"]
    for one in evaluations:
        shown = [column for column in one.columns if not column.name.startswith("audible")]
        parts.append(f"**{one.synth}**\n\n| method | {' | '.join(column.heading for column in shown)} |")
        parts.append("|---" * (len(shown) + 1) + "|")
        for method in one.methods:
            cells = [one.mean(method, column) for column in shown]
            told = " | ".join(f"{cell.value:.3f} ± {(cell.high - cell.low) / 2:.3f}" for cell in cells)
            parts.append(f"| {METHODS.get(method, method)} | {told} |")
        parts.append("")
    parts += [f"* {'yes' if holds else 'NO'}: {said}" for said, holds in order(evaluations)]
    text = "\n".join(parts) + "\n"
    write_text(options.out / "kosc.md", text)
    return text


def _cost(results: Mapping[Cell, RunResult]) -> str:
    steps = sorted({result.steps for result in results.values()})
    return f"{' to '.join(map(str, {steps[0], steps[-1]}))} steps a run"


def main() -> None:
    """Train, test, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/kosc"))
    parser.add_argument("--k", type=int, nargs="+", default=[4], help="oscillators: 4, 8, 16 or 32")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--steps", type=int, help="12,000 by default, with --paper 400,000")
    # Not decibels, of which little is heard in so few steps. docs/decisions/0018 has the figures.
    parser.add_argument("--feature", default="spectrum", help="what is heard")
    parser.add_argument("--rows", type=int, default=2_048, help="test rows")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 1)), help="runs side by side")
    parser.add_argument("--paper", action="store_true", help="the paper's networks and batches")
    options = parser.parse_args()
    options.steps = options.steps or (400_000 if options.paper else 12_000)
    cells = [Cell(method, k, symmetric) for k in options.k for symmetric in (True, False) for method in options.methods]
    named = {f"{cell.synth} {cell.method}": cell for cell in cells}
    trained = train_all({name: cell.words(options) for name, cell in named.items()}, options.jobs)
    results = {named[name]: result for name, result in trained.items()}
    print(write(list(test(cells, results, options)), results, options))


if __name__ == "__main__":
    main()
