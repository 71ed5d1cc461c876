r"""What pretraining is worth: heads on a pretrained encoder and on the same one from scratch, with few labels and many.

    FEATURE=log_mel_level:window=0.03125:hop=0.0078125
    CLIPS="synth=inversynth_fm length=1 sample_rate=16384"
    wav2patch data generate $CLIPS count=25k seed=5 features=$FEATURE audio=none out=heard
    wav2patch data subset heard train=24k val=500 test=500 duplicates=drop
    wav2patch data generate $CLIPS count=260 seed=77 out=heard-unseen
    wav2patch data subset heard-unseen test=256
    python benchmarks/label_efficiency.py --synth inversynth_fm --feature $FEATURE --data heard --labels 6000
        --targets heard-unseen/test.h5 --out results/labels

A U-Net learns to fill in what is hidden of the training sounds, a transformer to tell their hidden patches apart, both
without a label (`experiment=pretrain/unet`, `pretrain/contrastive`). Then a head says the classes of every parameter
(`experiment=inversynth_fm/is`), from a share of the labels, of which there may be fewer than sounds (`--labels`):
on the encoder as it was pretrained and kept, on the same one trained along, and on one from scratch. All have equal
steps; counted is the checkpoint that is best on the validation view. Runs lie below `--out`: one that was stopped goes
on, one that is finished is left alone.

Networks are of a size for two cores; `--published` takes the sizes of the source. Written are `pretraining.md` (what is
hidden, against the mean and lines between the neighbours, and against chance), `labels_sound.png`,
`labels_parameters.png`, and what `wav2patch evaluate` writes.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

# One thread a run: there is a run a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from evaluating import evaluate_rendered
from line_chart import Line, draw
from runs import QUIET, train_all
from wav2patch.datasets.storage.base import open_storage
from wav2patch.datasets.views.cuts import parse_cut
from wav2patch.datasets.views.subset import make_subset
from wav2patch.datasets.views.view import open_view
from wav2patch.evaluation.results import Evaluation
from wav2patch.evaluation.rows import ViewRows
from wav2patch.evaluation.table import to_markdown
from wav2patch.evaluation.text_tables import markdown
from wav2patch.evaluation.trained import TrainedMethod
from wav2patch.files import write_text
from wav2patch.training.run import RunResult
from wav2patch.training.saving import load_trained

FIGURES = {"sound": ("distance", "mean distance (dB)"), "parameters": ("audible_mae", "mean error of what is audible")}


@dataclass(frozen=True)
class Kind:
    """An encoder that can be pretrained.

    Attributes:
        pretraining: Its experiment.
        encoder: Its name in a method.
        sizes: Of the networks, small enough for two cores: a setting of the encoder, and what it is called in
            pretraining.
        words: Further settings of the pretraining.
    """

    pretraining: str
    encoder: str
    sizes: Mapping[str, tuple[str, int]]
    words: Sequence[str] = ()


KINDS = {
    # Of decibels the squares would be all of the loss; those of the source are of log(1 + magnitude).
    "U-Net": Kind(
        "unet", "unet_1d", {"base": ("base", 64)}, ["inverter.weights={l1: 1, mse: 0.01}", "inverter.lines=true"]
    ),
    "transformer": Kind(
        "contrastive",
        "patch_transformer",
        {
            "patch": ("patch", 8),
            "inner": ("width", 128),
            "layers": ("layers", 4),
            "heads": ("heads", 4),
            "feed_forward": ("hidden", 512),
        },
    ),
}
HEADS = {
    "dexed": ["experiment=dexed/classification", "note=none", "data.notes=C4"],
    "vital": ["experiment=vital/classification", "note=none", "data.notes=C4"],
    "inversynth_fm": ["experiment=inversynth_fm/is"],
}
STARTS = ("scratch", "pretrained", "pretrained and kept")


@dataclass(frozen=True)
class Cell:
    """A head on an encoder."""

    kind: str
    start: str
    share: float

    @property
    def name(self) -> str:
        """In tables."""
        return f"{self.kind}, {self.start}, {self.share:.0%}"


def shared_words(options: argparse.Namespace, steps: int) -> list[str]:
    """Those of all runs."""
    return [
        *(f"data.feature={options.feature}", f"data.standardize={str(options.standardize).lower()}"),
        *(f"data.synth={options.synth}", "data.workers=0", f"data.batch_size={options.batch}"),
        *(f"trainer.max_steps={steps}", f"trainer.precision={options.precision}", *QUIET),
        "trainer.checkpoint_every=200",
    ]


def pretraining_words(kind: Kind, options: argparse.Namespace) -> list[str]:
    """Of a pretraining, on all sounds."""
    sizes = [] if options.published else [f"inverter.{theirs}={n}" for theirs, n in kind.sizes.values()]
    return [
        *(f"experiment=pretrain/{kind.pretraining}", f"out={options.out / 'runs'}", f"name={options.steps}"),
        *shared_words(options, options.steps),
        *(f"data.folder={options.data}", f"trainer.val_every={max(1, options.steps // 4)}"),
        *(f"module.learning_rate={options.rate}", f"module.warmup_steps={options.steps // 20}", *kind.words, *sizes),
    ]


def head_words(cell: Cell, options: argparse.Namespace, pretrained: Path) -> list[str]:
    """Of a head, on a share of the labels."""
    kind = KINDS[cell.kind]
    settings = {} if options.published else {ours: n for ours, (_, n) in kind.sizes.items()}
    settings |= {"frozen": "true"} if cell.start == "pretrained and kept" else {}
    encoder = ", ".join(f"{name}: {value}" for name, value in {"name": kind.encoder, **settings}.items())
    return [
        *HEADS[options.synth],
        *(f"out={options.out / 'heads' / kind.encoder}", f"name='{cell.start.replace(' ', '_')}_{cell.share}'"),
        *shared_words(options, options.head_steps),
        *(f"data.folder={cut_folder(cell.share, options)}", f"++inverter.encoder={{{encoder}}}"),
        *(f"trainer.val_every={max(1, options.head_steps // 10)}", "trainer.monitor=val/loss"),
        *(f"module.learning_rate={options.head_rate}", f"module.warmup_steps={options.head_steps // 20}"),
        *("module.mask_inaudible=true", "module.ema=null"),
        *([] if cell.start == "scratch" else [f"init='{pretrained}'"]),
    ]


def cut_folder(share: float, options: argparse.Namespace) -> Path:
    """Where the views with a share of the labels are, which are made once."""
    rows = round(share * (options.labels or len(open_view(options.data / "train.h5"))))
    folder = options.out / "cuts" / str(rows)
    if not (folder / "train.h5").exists():
        cuts = [parse_cut(*one.split("=")) for one in (f"train=train:{rows}", "val=val", "test=test")]
        make_subset(open_storage(str(options.data)), open_storage(str(folder)), cuts, duplicates="keep")
    return folder


def write_pretraining(results: Mapping[str, RunResult], out: Path) -> str:
    """What was learnt without a label; gives the table back."""
    rows = []
    for name, result in results.items():
        found = {key.removeprefix("val/"): value for key, value in result.metrics.items() if key.startswith("val/")}
        for anchor, said in (("mean_l1", "the mean of a band"), ("between_l1", "lines between the neighbours")):
            if anchor in found:
                rows.append([name, "error of what is hidden", f"{found['spec_l1']:.3f}", said, f"{found[anchor]:.3f}"])
        if "over_chance" in found:
            chance = found["accuracy"] / found["over_chance"]
            rows.append([name, "hidden patches told apart", f"{found['accuracy']:.4f}", "chance", f"{chance:.6f}"])
    text = markdown(["network", "what", "its", "against", "theirs"], rows, numbers=2)
    write_text(out / "pretraining.md", text)
    return text


def draw_labels(found: Evaluation, cells: Sequence[Cell], out: Path) -> None:
    """Lines over the share of the labels, a panel for each encoder."""
    kinds, starts = (list(dict.fromkeys(getattr(cell, what) for cell in cells)) for what in ("kind", "start"))
    ticks = {cell.share: f"{cell.share:.0%}" for cell in cells}
    for figure, (column, up) in FIGURES.items():
        panels = {kind: list(map(partial(_line, found, cells, kind, column), starts)) for kind in kinds}
        draw(out / f"labels_{figure}.png", panels, "labels", up, ticks)


def _line(found: Evaluation, cells: Sequence[Cell], kind: str, column: str, start: str) -> Line:
    own = sorted((cell for cell in cells if (cell.kind, cell.start) == (kind, start)), key=lambda cell: cell.share)
    measured = next(one for one in found.columns if one.name == column)
    estimates = [found.mean(cell.name, measured) for cell in own]
    x = [cell.share for cell in own]
    y, low, high = ([getattr(one, end) for one in estimates] for end in ("value", "low", "high"))
    return Line(start, x, y, start == "scratch", (x, y, low, high))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the views train, val and test")
    parser.add_argument("--targets", required=True, help="test view with audio, that no run has seen")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--synth", default="dexed", choices=list(HEADS))
    parser.add_argument("--feature", default="log_mel_level:hop=0.02")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--starts", nargs="+", default=list(STARTS), choices=list(STARTS))
    parser.add_argument("--shares", type=float, nargs="+", default=[0.01, 0.1, 1.0], help="of the labels")
    parser.add_argument("--without", nargs="*", default=[], help='cells to leave out, such as "U-Net, scratch, 1%%"')
    parser.add_argument("--labels", type=int, default=0, help="patches that are known; all those of the sounds")
    parser.add_argument("--steps", type=int, default=1_500, help="of a pretraining")
    parser.add_argument("--rate", type=float, default=1e-3, help="of a pretraining")
    parser.add_argument("--head-steps", type=int, default=600, help="of a head")
    parser.add_argument("--head-rate", type=float, default=1e-3, help="of a head")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rows", type=int, default=256, help="targets")
    parser.add_argument("--published", action="store_true", help="networks of the source's sizes")
    parser.add_argument("--standardize", action="store_true", help="each cell by the training sounds' statistics")
    parser.add_argument("--precision", default="32-true", help="bf16-mixed is faster where processors have it")
    parser.add_argument("--jobs", type=int, default=max(1, os.cpu_count() or 1), help="runs side by side")
    options = parser.parse_args()
    pretraining = {name: pretraining_words(KINDS[name], options) for name in options.kinds}
    pretrained = train_all(pretraining, options.jobs)
    print(write_pretraining(pretrained, options.out))
    grid = [Cell(kind, start, share) for kind in options.kinds for share in options.shares for start in options.starts]
    cells = [cell for cell in grid if cell.name not in options.without]
    heads = train_all(
        {cell.name: head_words(cell, options, pretrained[cell.kind].last) for cell in cells}, options.jobs
    )
    rows = ViewRows(open_view(options.targets), options.rows)
    methods = {name: TrainedMethod(load_trained(result.best or result.last)) for name, result in heads.items()}
    found = evaluate_rendered(methods, rows, options.out, options.jobs)
    draw_labels(found, cells, options.out)
    print(to_markdown(found))


if __name__ == "__main__":
    main()
