"""Presets to test with, as Vital's engine itself writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vita.vita import Synth

Settings = dict[str, Any]


def vita_preset(change: Callable[[Synth], None] | None = None) -> dict[str, Any]:
    """Vital's initial preset after `change` was at it."""
    engine = Synth()
    if change is not None:
        change(engine)
    return json.loads(engine.to_json())


def with_controls(**values: float) -> dict[str, Any]:
    """Vital's initial preset with some controls set."""

    def change(engine: Synth) -> None:
        controls = engine.get_controls()
        for name, value in values.items():
            controls[name].set(value)

    return vita_preset(change)


def with_modulation(document: dict[str, Any], place: int, source: str, destination: str, amount: float) -> None:
    document["settings"]["modulations"][place] = {"source": source, "destination": destination}
    document["settings"][f"modulation_{place + 1}_amount"] = amount


def save(document: dict[str, Any], folder: Path, name: str = "preset") -> Path:
    path = folder / f"{name}.vital"
    path.write_text(json.dumps(document))
    return path
