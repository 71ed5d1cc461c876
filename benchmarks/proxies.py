r"""Neural proxies of one synth, every preset encoder at equal steps and at equal time, with anchors.

    wav2patch data generate synth=dexed notes=C4 length=1 count=320k features=mel128 \
        audio=none out=proxies
    wav2patch data subset proxies train=300k val=4096 test=8192
    wav2patch data generate synth=dexed notes=C4 length=1 count=6k prior=presets:BANKS \
        features=mel128 audio=none out=made
    wav2patch data subset made test=2000
    python benchmarks/proxies.py --data proxies --presets made/test.h5 --out results/proxies --steps 3000 --minutes 10

Encoders and their learning rates are those of Combes et al. (JAES 2025); see `wav2patch/configs/proxies.yaml`. The rate
is held, falls, and falls again, over as many steps as there are; with batches of another size than theirs, 512, it goes
with the root of the size (Malladi et al., NeurIPS 2022). Steps of an encoder in the time that is given follow
from its speed, which is measured first, one after the other on one thread, and kept. Runs lie below `--out`: one that
was stopped goes on, one that is finished is left alone. Of the last checkpoint the test view's embeddings are compared
with those that the synth's sounds have; so are those of patches that people made, of which a subset has each once
(`--presets`, rendered as the training data is).

`tfm_told` and `hn_pt_told` are `tfm` and `hn_pt` with the tokens of this project, which have a bias and another scale,
in place of the published ones, of which a control at 0 says nothing and a transformer's are lost beside the code of
their positions; see `PresetTokens`.

Anchors: the mean of the training embeddings; the embedding of the nearest training patch by its encoding; and the sound
rendered once more. `slope` is how far the proxy's derivatives agree with differences of real renders, number by number.

Written are `proxies.md`, `.csv`, `.tex` and `.png`, and `learning.png`: MRR within a batch against the examples seen.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# One thread a run: there is a run a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

import training_step
from learning_curves import draw_learning
from runs import QUIET, train_all
from wav2patch.configs.composing import compose_settings
from wav2patch.datasets.recipes.feature_words import ready_feature
from wav2patch.datasets.shards.layout import FEATURES
from wav2patch.datasets.views.view import View, open_view
from wav2patch.evaluation.gradient_fidelity import Fidelity, Slopes, fidelity, measure_slopes
from wav2patch.evaluation.proxy_scores import ProxyScores, Spread, mean_anchor, neighbour_anchor, score
from wav2patch.evaluation.text_tables import comma_separated, latex, markdown
from wav2patch.files import atomic_path, write_text
from wav2patch.models.layout import space_layout
from wav2patch.models.preset_encoders.catalogue import PUBLISHED, make_preset_encoder
from wav2patch.note_rules import parse_notes
from wav2patch.parameters import Patch
from wav2patch.synths.catalogue import load_synth
from wav2patch.training.run import RunResult
from wav2patch.training.saving import load_trained

BATCH, HELD = 512, 7_500 / 600_000
"""Patches of a step, and share of the steps at the whole rate, as published."""

SLOPED, AT_ONCE = 64, 1_024

_TOKENS = {"bias": True, "spread": 0.7}
TOLD: Mapping[str, Mapping[str, Any]] = {
    "hn_pt_told": {"name": "hn_pt", "inputs": _TOKENS},
    "tfm_told": {"name": "tfm", "tokens": {**_TOKENS, "positions": False}},
}
SPECS: Mapping[str, Mapping[str, Any]] = {**{name: {"name": name} for name in PUBLISHED}, **TOLD}
"""What `make_preset_encoder` takes, by the names in the table."""

HALF = "bf16-mixed"


@dataclass(frozen=True)
class Cell:
    """One training: an encoder, and whether its length was given in steps or in minutes."""

    encoder: str
    by: str
    steps: int

    @property
    def name(self) -> str:
        """While it trains."""
        return f"{self.encoder}, equal {self.by}"

    def words(self, options: argparse.Namespace) -> list[str]:
        """What ``wav2patch train`` would be given."""
        spec = SPECS[self.encoder]
        experiment = f"experiment={options.synth}_proxy/{spec['name']}"
        rate = compose_settings([experiment]).module.learning_rate * math.sqrt(options.batch / BATCH)
        rhythm = f"trainer.max_steps={self.steps}", f"trainer.val_every={max(1, self.steps // 4)}"
        return [
            *(experiment, f"module.learning_rate={rate:.4g}", f"trainer.precision={options.precision}"),
            f"data.folder={options.data}",
            f"data.feature={options.feature}",
            f"out={options.out / 'runs' / self.by}",
            f"name={self.steps}x{options.batch}{'_told' if self.encoder in TOLD else ''}",
            *(f"inverter.preset_encoder.{part}={_spelt(value)}" for part, value in spec.items() if part != "name"),
            f"module.hold_steps={round(HELD * self.steps)}",
            *(*rhythm, "trainer.checkpoint_every=200", "inverter.draws=64", *QUIET),
            *(f"data.batch_size={options.batch}", "data.workers=0"),
        ]


def _spelt(settings: Mapping[str, Any]) -> str:
    """As an override."""
    return "{" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in settings.items()) + "}"


def seconds_a_step(encoder: str, size: int, options: argparse.Namespace) -> float:
    """Of one thread: forward, backward and Adam."""
    torch.set_num_threads(1)
    layout = space_layout(load_synth(options.synth).space)
    network = make_preset_encoder(SPECS[encoder], layout, size)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    vectors, times = torch.rand(options.batch, layout.width) * 2 - 1, []
    while len(times) < 4 or (sum(times) < 8.0 and len(times) < 60):
        times.append(training_step.seconds(network, optimizer, vectors, half=options.precision == HALF))
    return float(np.median(times[1:]))


def lengths(options: argparse.Namespace, size: int) -> dict[str, float]:
    """Seconds a step of each encoder, measured once."""
    path = options.out / f"speed_{options.batch}_{options.precision}.json"
    known: dict[str, float] = json.loads(path.read_text()) if path.exists() else {}
    for encoder in options.encoders:
        if encoder not in known:
            known[encoder] = seconds_a_step(encoder, size, options)
            print(f"{encoder}: {1000 * known[encoder]:.0f} ms a step of {options.batch}", flush=True)
            write_text(path, json.dumps(known, indent=1) + "\n")
    return known


def cells_of(options: argparse.Namespace, speed: Mapping[str, float]) -> list[Cell]:
    """Those at equal time first."""
    found = []
    if options.minutes:
        found += [Cell(one, "time", max(20, round(60 * options.minutes / speed[one]))) for one in options.encoders]
    if options.steps:
        found += [Cell(one, "steps", options.steps) for one in options.encoders if one not in options.not_by_steps]
    return found


def train(cells: Sequence[Cell], speed: Mapping[str, float], options: argparse.Namespace) -> dict[str, RunResult]:
    """Runs by the names of their cells. The longest begins first, lest it run alone in the end."""
    ordered = sorted(cells, key=lambda cell: -cell.steps * speed[cell.encoder])
    return train_all({cell.name: cell.words(options) for cell in ordered}, options.jobs)


def read(view: View, feature: str, most: int | None = None) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Encodings and embeddings of the first rows."""
    rows = slice(0, min(len(view), most or len(view)))
    return view.read("parameters", rows).astype(np.float32), view.read(FEATURES + feature, rows).astype(np.float64)


class Ear:
    """Embeddings of patches by the synth itself."""

    def __init__(self, view: View, feature: str) -> None:
        recipe = view.recipe
        self.synth, self.recipe = load_synth(recipe.synth), recipe
        self.feature = ready_feature(feature)
        self.note = parse_notes(recipe.notes, recipe.length).draw(0, 0)

    def __call__(self, patches: Patch) -> NDArray[np.float64]:
        rate, length = self.recipe.sample_rate, self.recipe.length
        sounds = (self.synth.render(one, self.note, length=length, sample_rate=rate) for one in patches)
        return np.stack([self.feature(one.mean(axis=0, keepdims=True), rate) for one in sounds]).astype(np.float64)


Expect = Callable[[torch.Tensor], torch.Tensor]
"""Embeddings ``(n, size)`` that a proxy expects of vectors ``(n, D)`` in [−1, 1]."""


def proxy_of(checkpoint: Path) -> Expect:
    """The proxy of a run."""
    inverter: Any = load_trained(checkpoint, empty=True).inverter
    return inverter.embed_patches


def expected_of(proxy: Expect, encodings: NDArray[np.float32]) -> NDArray[np.float64]:
    """Embeddings of patches ``(n, D)``, many at a time."""
    vectors = torch.from_numpy(encodings) * 2.0 - 1.0
    with torch.inference_mode():
        return torch.cat([proxy(some) for some in vectors.split(AT_ONCE)]).double().numpy()


@dataclass(frozen=True)
class Line:
    """One row of the table."""

    by: str
    name: str
    scores: ProxyScores
    steps: int = 0
    slope: Fidelity | None = None
    milliseconds: float = float("nan")
    made: ProxyScores | None = None


def line_of(cell: Cell, checkpoint: Path, tested: Heard, made: Heard | None, slopes: Slopes) -> Line:
    """Of a trained proxy."""
    proxy = proxy_of(checkpoint)
    begun = time.perf_counter()
    expected = expected_of(proxy, tested.patches)
    took = 1000.0 * (time.perf_counter() - begun) / len(expected)
    found = None if made is None else score(expected_of(proxy, made.patches), made.embeddings)
    return Line(
        cell.by, cell.encoder, score(expected, tested.embeddings), cell.steps, fidelity(slopes, proxy), took, found
    )


def told(one: Spread | None) -> str:
    return "" if one is None else f"{one.mean:.3f} ± {one.deviation:.3f}"


def row_of(line: Line, sizes: Sequence[int]) -> list[str]:
    """Cells of a line."""
    scores, slope = line.scores, line.slope
    found = [line.by, line.name, f"{line.steps:,}" if line.steps else "", f"{scores.l1:.4f}"]
    found += [told(side.get(size)) for size in sizes for side in (scores.mrr_by_sound, scores.mrr_by_patch)]
    found += [f"{one.mean:.2f}" for one in scores.recalls.values()]
    found += [f"{scores.gap:.3f}", f"{scores.told_apart:.2f}"]
    found += ["", ""] if slope is None else [f"{slope.cosine:.2f}", f"{slope.sign:.2f}"]
    found.append("" if np.isnan(line.milliseconds) else f"{line.milliseconds:.2f}")
    if line.made is not None:
        found += [f"{line.made.l1:.4f}", told(line.made.mrr_by_sound[min(line.made.mrr_by_sound)])]
    return found


def head_of(line: Line, sizes: Sequence[int]) -> list[str]:
    """Of the columns."""
    found = ["equal", "proxy", "steps", "L1 ↓"]
    found += [f"MRR of a {what}, {size:,} ↑" for size in sizes for what in ("sound", "patch")]
    found += [f"R@{k}" for k in line.scores.recalls]
    found += ["gap ↓", "told apart ↓", "slope ↑", "sign ↑", "ms a patch"]
    if line.made is not None:
        found += ["presets: L1 ↓", f"presets: MRR of a sound, {min(line.made.mrr_by_sound):,} ↑"]
    return found


@dataclass(frozen=True)
class Heard:
    """Patches and the embeddings of their sounds."""

    patches: NDArray[np.float32]
    embeddings: NDArray[np.float64]

    def again(self, ear: Ear, rows: int) -> ProxyScores:
        """Of so many rendered once more."""
        return score(ear(ear.synth.space.decode(self.patches[:rows])), self.embeddings[:rows])


def anchors(known: Heard, tested: Heard, made: Heard | None, ear: Ear, again: int) -> list[Line]:
    """What is worth nothing, and what is as good as it gets."""
    nearest = f"nearest of {len(known.patches):,} patches"
    ways: dict[str, Callable[[Heard], ProxyScores]] = {
        "the mean": lambda one: score(mean_anchor(known.embeddings, len(one.embeddings)), one.embeddings),
        nearest: lambda one: score(neighbour_anchor(known.patches, known.embeddings, one.patches), one.embeddings),
        f"rendered again ({again} patches)": lambda one: one.again(ear, again),
    }
    return [Line("", name, way(tested), made=None if made is None else way(made)) for name, way in ways.items()]


def write(lines: Sequence[Line], sizes: Sequence[int], out: Path, heading: str) -> str:
    """Tables and picture."""
    head, rows = head_of(lines[0], sizes), [row_of(line, sizes) for line in lines]
    text = f"{heading}\n\n{markdown(head, rows, numbers=2)}"
    write_text(out / "proxies.md", text)
    write_text(out / "proxies.csv", comma_separated(head, rows))
    write_text(out / "proxies.tex", latex(head, rows, numbers=2))
    draw(lines, sizes[0], out / "proxies.png", heading)
    return text


def draw(lines: Sequence[Line], size: int, path: Path, heading: str) -> None:
    """MRR of sounds among patches, as bars."""
    figure = Figure(figsize=(7.0, 0.8 + 0.28 * len(lines)), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    colours = {"": "#8a8a8a", "time": "#3b6ea5", "steps": "#c7711f"}
    names = [f"{line.name}, equal {line.by}" if line.by else line.name for line in lines]
    found = [line.scores.mrr_by_sound.get(size, next(iter(line.scores.mrr_by_sound.values()))) for line in lines]
    axes.barh(
        names, [one.mean for one in found], xerr=[one.deviation for one in found],
        color=[colours[line.by] for line in lines],
    )  # fmt: skip
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.0)
    axes.set_xlabel(f"MRR of a sound among {size:,} patches", size=8)
    axes.set_title(heading.replace(": ", "\n", 1), size=9, loc="left")
    axes.tick_params(labelsize=7)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the views train, val and test")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--synth", default="dexed", choices=["dexed", "vital"])
    parser.add_argument("--feature", default="mel128", help="the embedding")
    parser.add_argument("--presets", help="test view of patches that people made")
    parser.add_argument("--encoders", nargs="+", default=list(SPECS), choices=list(SPECS))
    parser.add_argument("--batch", type=int, default=BATCH, help="patches of a step")
    parser.add_argument("--precision", default="32-true", help=f"{HALF} is faster where processors have it")
    parser.add_argument("--steps", type=int, default=0, help="that all are given")
    parser.add_argument("--minutes", type=float, default=0.0, help="that all are given")
    parser.add_argument("--not-by-steps", nargs="*", default=[], help="encoders that would take too long")
    parser.add_argument("--known", type=int, default=100_000, help="training patches that the nearest is looked for in")
    parser.add_argument("--again", type=int, default=512, help="patches that are rendered again")
    parser.add_argument("--jobs", type=int, default=max(1, os.cpu_count() or 1), help="runs side by side")
    options = parser.parse_args()
    test, train_view = open_view(options.data / "test.h5"), open_view(options.data / "train.h5")
    ear = Ear(test, options.feature)
    speed = lengths(options, test.fields[FEATURES + options.feature].shape[0])
    cells = cells_of(options, speed)
    trained = train(cells, speed, options)
    if cells:
        folders = {cell.name: trained[cell.name].folder for cell in cells}
        draw_learning(folders, options.batch, "mrr", options.out / "learning.png")
    known = Heard(*read(train_view, options.feature, options.known))
    tested = Heard(*read(test, options.feature))
    made = None if options.presets is None else Heard(*read(open_view(options.presets), options.feature))
    lines = anchors(known, tested, made, ear, options.again)
    slopes: Slopes = measure_slopes(ear.synth.space, ear.synth.space.decode(tested.patches[:SLOPED]), ear)
    lines += [line_of(cell, trained[cell.name].last, tested, made, slopes) for cell in cells]
    sizes = sorted(lines[0].scores.mrr_by_sound)
    what = f"{len(train_view):,} patches learnt, {options.batch} a step, {len(test):,} tested, {options.feature}"
    print(write(lines, sizes, options.out, f"Proxies of {ear.synth.title}: {what}"))


if __name__ == "__main__":
    main()
