"""Figures of a run as a table: ``metrics.csv``, which goes on where a resumed run does."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from wav2patch.files import write_text

STEP = "step"


class CsvLog(Logger):
    """One row a step that has figures, one column a figure; whole at any time.

    Lightning's own begins anew with every process, so that a resumed run loses what it said before.

    Args:
        path: Of the file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._rows: dict[int, dict[str, str]] = {}
        self._unsaved = 0

    @property
    def name(self) -> str:
        """Of the logger."""
        return "csv"

    @property
    def version(self) -> str:
        """There is one only."""
        return ""

    @property
    def log_dir(self) -> str:
        """The file's folder."""
        return str(self.path.parent)

    @rank_zero_only
    def resume(self, step: int) -> None:
        """Read what there is, and forget what was written after the step that a run goes on from."""
        if self.path.exists():
            with self.path.open(encoding="utf-8", newline="") as file:
                rows = [(int(row.pop(STEP)), row) for row in csv.DictReader(file)]
            self._rows = {number: {k: v for k, v in row.items() if v} for number, row in rows if number < step}

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Note figures of a step."""
        row = self._rows.setdefault(step or 0, {})
        row |= {name: f"{value:.8g}" for name, value in metrics.items() if name != STEP}
        self._unsaved += 1

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Settings lie beside the table."""

    @rank_zero_only
    def save(self) -> None:
        """Write the table, which Lightning asks for with every row, where it has grown by a twentieth."""
        if self._unsaved > len(self._rows) // 20:
            self._write()

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Write what is left."""
        if self._unsaved:
            self._write()

    def _write(self) -> None:
        columns = [STEP, *sorted({name for row in self._rows.values() for name in row})]
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        table.writeheader()
        rows: list[Mapping[str, Any]] = [{STEP: step, **self._rows[step]} for step in sorted(self._rows)]
        table.writerows(rows)
        write_text(self.path, text.getvalue())
        self._unsaved = 0
