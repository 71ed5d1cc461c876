"""Pictures and tables of a run: files in its folder, and images for its loggers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger

from wav2patch.files import atomic_path, write_text

STEP = "step"


def show_figure(trainer: lightning.Trainer, path: Path, name: str, draw: Callable[[Any], None], size: Any) -> None:
    """Draw a picture into a PNG file, and show it where TensorBoard or W&B keep the run's figures.

    Args:
        trainer: Of the run.
        path: Of the file.
        name: For the loggers.
        draw: Gets a matplotlib figure.
        size: Width and height in inches.

    Raises:
        UserError: The file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to import, and not always used
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)
    for logger in trainer.loggers:
        if isinstance(logger, TensorBoardLogger):
            logger.experiment.add_figure(name, figure, trainer.global_step, close=False)
        elif isinstance(logger, WandbLogger):
            logger.log_image(name, [str(path)], step=trainer.global_step)


def add_row(path: Path, step: int, values: Mapping[str, float]) -> None:
    """Add the figures of a step to a table, a column each.

    Rows of this step and of later ones go: a run that was resumed makes them again.

    Raises:
        UserError: The file cannot be written.
    """
    rows: list[dict[str, Any]] = []
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if int(row[STEP]) < step]
    rows.append({STEP: step, **{name: f"{value:.6g}" for name, value in values.items()}})
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def log_figures(trainer: lightning.Trainer, figures: Mapping[str, float]) -> None:
    """Give numbers to the run's loggers."""
    for logger in trainer.loggers:
        logger.log_metrics(dict(figures), step=trainer.global_step)
