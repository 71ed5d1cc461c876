r"""Quality of a trained flow's proposals against network calls, over samplers, numbers of steps and guidance.

    python benchmarks/sampling.py runs/kosc/flow_assigned/first/checkpoints/best.ckpt --data kosc_4 --rows 512 \
        --out results/sampling
    python benchmarks/sampling.py models/dexed --data dexed-100k/test.h5 --rows 64 --out results/sampling_dexed

Quality is the papers' log-spectral distance of a research synth, and the search objective on renders of any other,
means over test rows with their 95% intervals (Student's t); every setting has the same rows and starts from the same
noise, so that differences are surer than the intervals look. A call is one velocity that a sampler asks for. Guidance
other than 1 evaluates the network for two conditions in it: the paper's 100 RK4 steps with guidance are 400 calls here,
and 800 evaluations. The knee is the smallest number of calls whose quality is within 2% of the best of all settings,
and of each guidance. Files: sampling.md, sampling.csv (with all parameter errors, evaluations and time), sampling.png.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray

from line_chart import Line, draw
from wav2patch.audio.channels import to_mono
from wav2patch.datasets.views.view import open_view
from wav2patch.errors import UserError
from wav2patch.evaluation.columns import DISTANCE, Column
from wav2patch.evaluation.intervals import Estimate, mean_estimate
from wav2patch.evaluation.parameter_scores import ParameterScorer
from wav2patch.evaluation.rows import Row, Rows, TensorRows, ViewRows
from wav2patch.evaluation.score import BatchScorer
from wav2patch.evaluation.table import cell
from wav2patch.evaluation.text_tables import comma_separated, markdown
from wav2patch.files import write_text
from wav2patch.matching.evaluator import Measure
from wav2patch.metrics.objective import Objective
from wav2patch.models.inverters.flow_matching import FlowMatching
from wav2patch.models.samplers import SAMPLERS
from wav2patch.parameters import Patch
from wav2patch.rendering.base import Failure, Renderer
from wav2patch.rendering.choose import available_cores, make_renderer
from wav2patch.synths.catalogue import RESEARCH, load_synth
from wav2patch.synths.tensor.synth import TensorSynth
from wav2patch.training.saving import Trained, load_trained
from wav2patch.weights.proposals import Proposals, decode, told_note

CALLS = (2, 4, 8, 16, 32, 64, 128, 400)
GUIDANCE = (1.0, 1.5, 2.0, 3.0)
NEAR = 1.02
AT_ONCE = 128
SHOWN = ("chamfer", "audible_mae", "mae")


@dataclass(frozen=True)
class Setting:
    """How a flow is sampled."""

    sampler: str
    steps: int
    guidance: float

    @property
    def calls(self) -> int:
        return self.steps * SAMPLERS[self.sampler].stages

    @property
    def evaluations(self) -> int:
        """Of the network, each for one row and one condition."""
        return self.calls * (1 if self.guidance in (0.0, 1.0) else 2)

    def __str__(self) -> str:
        return f"{self.sampler} of {self.steps} steps ({self.calls} calls), guidance {self.guidance:g}"


@dataclass(frozen=True)
class Found:
    """What came of a setting: quality of each row, parameter errors of each row by name, and time."""

    quality: NDArray[np.float64]
    errors: Mapping[str, NDArray[np.float64]]
    seconds: float


Quality = Mapping[Setting, Estimate]


def settings_of(options: argparse.Namespace) -> list[Setting]:
    """Those whose number of calls is a whole number of steps."""
    return [
        Setting(name, calls // SAMPLERS[name].stages, weight)
        for weight, name, calls in itertools.product(options.guidance, options.samplers, options.calls)
        if calls % SAMPLERS[name].stages == 0
    ]


def rows_of(data: str, count: int) -> Rows:
    if data in RESEARCH:
        synth = load_synth(data)
        assert isinstance(synth, TensorSynth)
        return TensorRows(synth, count)
    return ViewRows(open_view(data), count)


class Flow:
    """A trained flow that is sampled as each setting has it, always from the same noise."""

    def __init__(self, trained: Trained, device: str, seed: int) -> None:
        if not isinstance(trained.inverter, FlowMatching):
            raise UserError(f"{trained.source} is no flow: only flows have a sampler.")
        self.trained, self.device, self.seed = trained, device, seed
        self.inverter: FlowMatching = trained.inverter.to(device)

    def hear(self, rows: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Features, and notes where the model is told."""
        features = np.stack([self.trained.hearing(row.audio, row.sample_rate) for row in rows])
        notes = [told_note(self.trained.record, row.note) for row in rows]
        told = np.stack([one for one in notes if one is not None]) if notes[0] is not None else None
        heard = torch.from_numpy(features).to(self.device)
        return heard, None if told is None else torch.from_numpy(told).to(self.device)

    def propose(
        self, rows: Sequence[Row], heard: tuple[torch.Tensor, torch.Tensor | None], setting: Setting, n: int
    ) -> tuple[list[Proposals], float]:
        """Proposals for each row, and how many seconds they took."""
        self.inverter.sampler = SAMPLERS[setting.sampler](setting.steps)
        self.inverter.guidance = setting.guidance
        generators = [self._generator(row) for row in rows]
        begun = time.perf_counter()
        vectors = ((self.inverter.propose_batch(*heard, n, generators) + 1.0) / 2.0).float().cpu().numpy()
        seconds = time.perf_counter() - begun
        # A few large steps may leave what numbers can hold.
        vectors = np.nan_to_num(vectors, nan=0.5, posinf=2.0, neginf=-1.0)
        return [decode(self.trained.record, self.trained.synth.space, one) for one in vectors], seconds

    def _generator(self, row: Row) -> torch.Generator:
        word = np.random.SeedSequence([self.seed, row.index]).generate_state(1, np.uint64)[0]
        return torch.Generator(device=self.device).manual_seed(int(word >> np.uint64(1)))


Proposed = Mapping[Setting, Sequence[Proposals]]
Best = tuple[Patch, float]
"""A patch and its distance."""


class Judge:
    """Of each row's proposals the closest, by the metric of the rows' synth.

    Args:
        rows: What is tested on.
        workers: Renders side by side.
    """

    def __init__(self, rows: Rows, workers: int) -> None:
        self._batch = BatchScorer(rows.synth) if isinstance(rows.synth, TensorSynth) else None
        self._renderer: Renderer | None = None
        if self._batch is None:
            self._renderer = make_renderer(rows.synth, workers, deadline=60.0, processes=workers > 1)
        self.column: Column = DISTANCE if self._batch is None else self._batch.chosen_by

    def __call__(self, rows: Sequence[Row], proposed: Proposed) -> dict[Setting, list[Best]]:
        if self._renderer is not None:
            each = [self._listen(self._renderer, row, i, proposed) for i, row in enumerate(rows)]
            return {setting: [one[setting] for one in each] for setting in proposed}
        assert self._batch is not None
        named = {str(setting): one for setting, one in proposed.items()}
        scored = self._batch(rows, named)
        name = self.column.name
        return {
            setting: [(one[str(setting)].patch, one[str(setting)].values.get(name, np.nan)) for one in scored]
            for setting in proposed
        }

    def close(self) -> None:
        if self._renderer is not None:
            self._renderer.close()

    def _listen(self, renderer: Renderer, row: Row, place: int, proposed: Proposed) -> dict[Setting, Best]:
        """All settings' proposals for a row at once, side by side."""
        measure = Measure(Objective(to_mono(row.audio), row.sample_rate))
        every = [(setting, one[place]) for setting, one in proposed.items()]
        patches = [patch for _, one in every for patch in one.patches]
        sounds = [row.sound(note) for _, one in every for note in (one.notes or (None,) * len(one.patches))]
        results = iter(renderer.map(patches, sounds, measure))
        best = {}
        for setting, one in every:
            heard = [next(results) for _ in one.patches]
            distances = [np.inf if isinstance(each, Failure) else each for each in heard]
            closest = int(np.argmin(distances))
            best[setting] = (one.patches[closest], distances[closest] if np.isfinite(distances[closest]) else np.nan)
        return best


def measure_all(
    flow: Flow, rows: Rows, judge: Judge, settings: Sequence[Setting], proposals: int
) -> dict[Setting, Found]:
    parts: dict[Setting, list[Best]] = {setting: [] for setting in settings}
    seconds = dict.fromkeys(settings, 0.0)
    truth: list[Patch] = []
    for first in range(0, len(rows), AT_ONCE):
        some = rows.read(range(first, min(first + AT_ONCE, len(rows))))
        heard = flow.hear(some)
        proposed: dict[Setting, list[Proposals]] = {}
        for setting in settings:
            proposed[setting], spent = flow.propose(some, heard, setting, proposals)
            seconds[setting] += spent
        for setting, best in judge(some, proposed).items():
            parts[setting] += best
        truth += [row.patch for row in some]
        print(f"{len(truth)}/{len(rows)} rows", flush=True)
    scorer, true = ParameterScorer(rows.synth.space), np.stack(truth)
    return {
        setting: Found(
            np.array([distance for _, distance in best]),
            scorer(true, np.stack([patch for patch, _ in best])),
            seconds[setting] / (len(rows) * proposals),
        )
        for setting, best in parts.items()
    }


def knee(quality: Quality) -> Setting:
    """The fewest calls, and of these the fewest evaluations, within 2% of the best."""
    near = NEAR * min(one.value for one in quality.values())
    within = [setting for setting, one in quality.items() if one.value <= near]
    return min(within, key=lambda setting: (setting.calls, setting.evaluations, quality[setting].value))


def table_of(quality: Quality) -> str:
    weights = sorted({setting.guidance for setting in quality})
    kinds = list(dict.fromkeys((setting.sampler, setting.steps) for setting in quality))
    rows = [
        [name, str(Setting(name, steps, 1.0).calls), *(cell(quality[Setting(name, steps, w)]) for w in weights)]
        for name, steps in kinds
    ]
    return markdown(["sampler", "calls", *(f"guidance {weight:g}" for weight in weights)], rows, numbers=1)


def knees_of(quality: Quality) -> str:
    best = min(quality, key=lambda setting: quality[setting].value)
    chosen = knee(quality)
    lines = [
        f"Best: {best}: {cell(quality[best])}.",
        f"Knee: {chosen}: {cell(quality[chosen])}, {chosen.evaluations} evaluations.",
    ]
    for weight in sorted({setting.guidance for setting in quality}):
        own = {setting: one for setting, one in quality.items() if setting.guidance == weight}
        lines.append(f"Knee of guidance {weight:g}: {knee(own)}: {cell(own[knee(own)])}.")
    return "\n".join(f"- {line}" for line in lines) + "\n"


def write_results(found: Mapping[Setting, Found], column: Column, heading: str, out: Path) -> str:
    """Tables and figure in a folder; returns the Markdown."""
    quality = {setting: mean_estimate(one.quality) for setting, one in found.items()}
    names = list(next(iter(found.values())).errors)
    shown = next(name for name in SHOWN if name in names)
    errors = {setting: mean_estimate(one.errors[shown]) for setting, one in found.items()}
    text = f"{heading}\n\n{knees_of(quality)}\n{column.label} ({column.unit}):\n\n{table_of(quality)}"
    text += f"\nThe same proposals' {shown.replace('_', ' ')} of parameters:\n\n{table_of(errors)}"
    write_text(out / "sampling.md", text)
    write_text(out / "sampling.csv", _csv(found, quality, column.name, names))
    _draw(quality, column, heading, out / "sampling.png")
    return text


def _csv(found: Mapping[Setting, Found], quality: Quality, metric: str, names: Sequence[str]) -> str:
    head = ["sampler", "steps", "guidance", "calls", "evaluations", "ms", metric, f"{metric}_low", f"{metric}_high"]
    lines = []
    for setting, one in found.items():
        how = (setting.sampler, setting.steps, setting.guidance, setting.calls, setting.evaluations)
        good = quality[setting]
        figures = (1e3 * one.seconds, good.value, good.low, good.high, *(np.nanmean(one.errors[n]) for n in names))
        lines.append([*map(str, how), *(f"{figure:.5g}" for figure in figures)])
    return comma_separated([*head, *names], lines)


def _draw(quality: Quality, column: Column, heading: str, path: Path) -> None:
    panels = {}
    for weight in sorted({setting.guidance for setting in quality}):
        lines = []
        for name in dict.fromkeys(setting.sampler for setting in quality):
            own = [setting for setting in quality if setting.guidance == weight and setting.sampler == name]
            x = [setting.calls for setting in own]
            y, low, high = ([getattr(quality[one], end) for one in own] for end in ("value", "low", "high"))
            lines.append(Line(name, x, y, marks=(x, y, low, high)))
        panels[f"guidance {weight:g}" + (f": {heading}" if not panels else "")] = lines
    ticks = {float(calls): str(calls) for calls in sorted({setting.calls for setting in quality})}
    draw(path, panels, "calls", f"{column.label} ({column.unit})", ticks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="checkpoint or model folder of a flow")
    parser.add_argument("--data", required=True, help="research synth, or test view with audio")
    parser.add_argument("--out", type=Path, required=True, help="folder for tables and figure")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--best-of", type=int, default=1, help="proposals for a row, of which the closest counts")
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=list(SAMPLERS))
    parser.add_argument("--calls", type=int, nargs="+", default=list(CALLS))
    parser.add_argument("--guidance", type=float, nargs="+", default=list(GUIDANCE))
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=available_cores(), help="processes that render")
    options = parser.parse_args()
    try:
        rows = rows_of(options.data, options.rows)
        flow = Flow(load_trained(options.model), options.device, options.seed)
        if flow.trained.record.space != rows.synth.space.digest:
            raise UserError(f"{options.model} proposes patches of {flow.trained.record.synth}, not of {rows.name}.")
        with contextlib.closing(Judge(rows, options.workers)) as judge:
            found = measure_all(flow, rows, judge, settings_of(options), options.best_of)
        heading = f"{rows.synth.title}: {len(rows)} rows"
        heading += f", best of {options.best_of}" if options.best_of > 1 else ""
        print("\n" + write_results(found, judge.column, heading, options.out))
    except UserError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
