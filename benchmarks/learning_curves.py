"""What runs had learnt after so many examples, on what they learn from and on what they do not: a picture."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

import line_chart
from line_chart import Line
from wav2patch.training.run_folder import RunFolder


def draw_learning(runs: Mapping[str, Path], batch: int, figure: str, path: Path) -> None:
    """Write a chart of a logged figure.

    Args:
        runs: Folders of runs, by their names in the legend.
        batch: Examples of a step.
        figure: Name of the figure, such as ``mrr``.
        path: Of the PNG.
    """
    panels = {
        title: [_course(name, folder, f"{kind}/{figure}", batch) for name, folder in runs.items()]
        for title, kind in (("validation", "val"), ("training", "train"))
    }
    seen = [x for lines in panels.values() for line in lines for x in np.asarray(line.x)]
    ticks = {10.0**n: f"{10**n:,}" for n in range(2, 10) if min(seen) <= 10**n <= max(seen)}
    line_chart.draw(path, panels, "examples seen", figure, ticks or {max(seen): f"{max(seen):,.0f}"})


def _course(name: str, folder: Path, column: str, batch: int) -> Line:
    with RunFolder(folder).metrics.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row.get(column)]
    return Line(name, [(int(row["step"]) + 1) * batch for row in rows], [float(row[column]) for row in rows])
