"""The folder of a run: its settings, its checkpoints, how far it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from wav2patch.errors import UserError
from wav2patch.files import check_folder, write_text
from wav2patch.training.reading_settings import plain_settings, read_settings
from wav2patch.training.settings import RunSettings

FREE = (
    *("name", "out", "resume", "logging", "callbacks"),
    *(
        f"trainer.{one}"
        for one in (
            *("max_steps", "max_hours", "val_every", "val_batches", "checkpoint_every", "log_every", "patience"),
            *("monitor", "accelerator", "devices", "nodes", "strategy", "matmul", "compile", "progress"),
        )
    ),
    *("data.workers", "data.held", "data.ahead", "data.kind", "data.val_rows"),
)
"""Settings that a run may have other values of when it goes on; all others make it another run."""


@dataclass(frozen=True)
class RunFolder:
    """Where a run lies.

    Attributes:
        path: ``OUT/EXPERIMENT/NAME``.
    """

    path: Path

    @property
    def config(self) -> Path:
        """All settings."""
        return self.path / "config.yaml"

    @property
    def checkpoints(self) -> Path:
        """Folder of ``last.ckpt`` and ``best.ckpt``."""
        return self.path / "checkpoints"

    @property
    def last(self) -> Path:
        """The newest checkpoint."""
        return self.checkpoints / "last.ckpt"

    @property
    def best(self) -> Path:
        """The checkpoint with the best monitored figure."""
        return self.checkpoints / "best.ckpt"

    @property
    def standards(self) -> Path:
        """What standardises the feature, where it was measured for this run."""
        return self.path / "standard.npz"

    @property
    def metrics(self) -> Path:
        """Figures by step."""
        return self.path / "metrics.csv"

    @property
    def result(self) -> Path:
        """How the run ended."""
        return self.path / "result.json"

    def check(self, settings: RunSettings) -> None:
        """Make sure that no other run lies here.

        Raises:
            UserError: One does, and is not to be replaced.
        """
        if settings.resume != "none" and self.config.exists() and (self.last.exists() or self.result.exists()):
            self._check(plain_settings(settings))

    def begin(self, settings: RunSettings) -> None:
        """Keep the settings; what lies here of a run that is not to go on is removed.

        Raises:
            UserError: The disk refuses.
        """
        check_folder(self.path)
        if settings.resume == "none":
            files = (self.last, self.best, self.result, self.metrics, self.standards, *self.path.glob("*.csv"))
            for one in files:
                one.unlink(missing_ok=True)
            shutil.rmtree(self.path / "tensorboard", ignore_errors=True)
        write_text(self.config, yaml.safe_dump(plain_settings(settings), sort_keys=False, allow_unicode=True))

    def read_result(self) -> dict[str, Any] | None:
        """How the run ended; None if it did not."""
        if not (self.result.exists() and self.last.exists()):
            return None
        return json.loads(self.result.read_text(encoding="utf-8"))

    def _check(self, wanted: Mapping[str, Any]) -> None:
        # Read, so that a setting which that version did not have has its default.
        there = flattened(plain_settings(read_settings(yaml.safe_load(self.config.read_text(encoding="utf-8")))))
        here = flattened(wanted)
        for name in sorted({*there, *here}):
            if not is_free(name) and there.get(name) != here.get(name):
                raise UserError(
                    f"{self.path} holds a run with {name}={_word(there, name)}, not {_word(here, name)}: give this one "
                    "another name=…, or resume=none to begin again in its place."
                )


def run_folder(settings: RunSettings) -> RunFolder:
    """Where the run of these settings lies."""
    return RunFolder(Path(settings.out).expanduser() / settings.experiment / (settings.name or "run"))


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by their paths, such as ``"data.k"``."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= flattened(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def is_free(name: str) -> bool:
    """Whether a run may have another value of a setting when it goes on."""
    return any(name == one or name.startswith(f"{one}.") for one in FREE)


def _word(flat: Mapping[str, Any], name: str) -> str:
    return str(flat[name]) if name in flat else "its default"
