r"""How close the nearest neighbours of a sound come, by what sounds are compared by.

    wav2patch data generate synth=dexed notes=wide count=40k features=constant_q:per_octave=12:hop=0.02 out=dexed-40k
    wav2patch data subset dexed-40k train=38k val=1k test=1k
    python benchmarks/neighbours.py dexed-40k/train.h5 dexed-40k/val.h5 --out results     # about five minutes

For each row of the second view, the patches of the sixteen rows of the first that are nearest are rendered with the
row's own note: the distance of the nearest, the mean of all and the best, by the search objective, as means over rows.
Draws of the prior stand beside. Everything is read once, whatever the number of variants.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray

from starts import target_of
from wav2patch.datasets.shards.layout import FEATURES
from wav2patch.datasets.views.view import View, open_view
from wav2patch.evaluation.intervals import mean_estimate
from wav2patch.evaluation.rows import Row, ViewRows
from wav2patch.evaluation.text_tables import markdown
from wav2patch.files import write_text
from wav2patch.metrics.objective import Objective
from wav2patch.models.inverters.base import Examples
from wav2patch.models.inverters.nearest import NearestNeighbour
from wav2patch.models.layout import space_layout
from wav2patch.parameters import Patch

FEATURE = "constant_q:per_octave=12:hop=0.02"
PROPOSED, AT_ONCE = 16, 500
KEYED: dict[str, Any] = {"per_octave": 12}
VARIANTS: dict[str, dict[str, Any]] = {
    "as they are, the note counts half": {},
    "as they are": {"note_weight": 0.02},
    "from the key": {**KEYED, "note_weight": 0.02},
    "from the key, 32 × 32 cells": {**KEYED, "note_weight": 0.02, "cells": 1024},
    "from the key, 32 × 32 cells, 64 components": {**KEYED, "note_weight": 0.02, "cells": 1024, "components": 64},
    "the same, the note counts a tenth": {**KEYED, "note_weight": 0.1, "cells": 1024, "components": 64},
}


def examples_of(view: View, rows: range) -> Examples:
    features = view.read(FEATURES + FEATURE, slice(rows.start, rows.stop)).astype(np.float32)
    notes = view.read("notes", slice(rows.start, rows.stop)).astype(np.float32)
    vectors = 2.0 * view.read("parameters", slice(rows.start, rows.stop)) - 1.0
    return Examples(torch.from_numpy(features), torch.from_numpy(notes), torch.from_numpy(vectors))


def fit_all(models: dict[str, NearestNeighbour], view: View) -> None:
    """All variants at once, as features take longer to read than keys to make."""
    raws: dict[str, list[torch.Tensor]] = {name: [] for name in models}
    vectors = []
    for first in range(0, len(view), AT_ONCE):
        examples = examples_of(view, range(first, min(first + AT_ONCE, len(view))))
        vectors.append(examples.vectors)
        for name, model in models.items():
            raws[name].append(model.key.raw(examples.features, examples.notes))
    for name, model in models.items():
        together = torch.cat(raws.pop(name))
        model.key.fit(together, model.note_weight)
        model.memory.fill(model.key.standard(together), torch.cat(vectors))


class Trial:
    """A row's sound, and how far patches are from it."""

    def __init__(self, rows: ViewRows, row: Row) -> None:
        self.synth, self.row, target = rows.synth, row, target_of(row)
        self.objective = Objective(target.mono, target.sample_rate, target.bandwidth)

    def distances(self, patches: Patch) -> NDArray[np.float64]:
        row = self.row
        sounds = [
            self.synth.render(one, row.note, length=row.length, sample_rate=row.sample_rate).mean(axis=0)
            for one in patches
        ]
        return np.array([float(self.objective(sound)) for sound in sounds])


def line(name: str, found: NDArray[np.float64]) -> list[str]:
    told = [name]
    for values in (found[:, 0], found.mean(axis=1), found.min(axis=1)):
        one = mean_estimate(values)
        told.append(f"{one.value:.2f} ± {(one.high - one.low) / 2:.2f}")
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", help="view that is remembered")
    parser.add_argument("test", help="view with audio")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    train, test = open_view(options.train), open_view(options.test)
    rows = ViewRows(test, options.rows)
    layout, shape = space_layout(rows.synth.space), train.fields[FEATURES + FEATURE].shape
    models = {name: NearestNeighbour(layout, shape, **settings) for name, settings in VARIANTS.items()}
    fit_all(models, train)
    trials = [Trial(rows, row) for row in rows.read(range(len(rows)))]
    drawn = [rows.prior.sample(np.random.default_rng([5, i]), PROPOSED) for i in range(len(trials))]
    table = [line("draws of the prior", np.array([t.distances(p) for t, p in zip(trials, drawn, strict=True)]))]
    asked = examples_of(test, range(len(rows)))
    for name, model in models.items():
        vectors = model.propose_batch(asked.features, asked.notes, PROPOSED).numpy()
        patches = [rows.synth.space.decode((one + 1.0) / 2.0) for one in vectors]
        table.append(line(name, np.array([t.distances(p) for t, p in zip(trials, patches, strict=True)])))
        print(*table[-1], sep="  ", flush=True)
    heading = f"{rows.synth.title}: {len(rows)} sounds, neighbours among {len(train):,}\n\n"
    head = ["bands", "the nearest (dB)", "mean of 16", "best of 16"]
    write_text(options.out / "neighbours.md", heading + markdown(head, table, numbers=1))


if __name__ == "__main__":
    main()
