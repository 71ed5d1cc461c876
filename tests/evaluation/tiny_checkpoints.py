"""Checkpoints of untrained models that are small enough to be made in a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch

from wav2patch.features.catalogue import load_feature
from wav2patch.models.inverters.catalogue import make_inverter
from wav2patch.synths.catalogue import load_synth
from wav2patch.training.saving import ENTRY, PREFIX
from wav2patch.weights.record import Record

REGRESSION: dict[str, Any] = {
    "kind": "regression", "width": 8, "hidden": 8, "blocks": 1, "encoder": {"name": "mlp", "hidden": 8, "blocks": 1}
}  # fmt: skip
FLOW: dict[str, Any] = {
    "kind": "flow_matching", "width": 8, "encoder": {"name": "mlp", "hidden": 8, "blocks": 1},
    "field": {"name": "mlp", "width": 8, "blocks": 1}, "sampler": {"name": "euler", "steps": 2},
}  # fmt: skip


def write_checkpoint(
    path: Path,
    synth: str,
    inverter: dict[str, Any],
    *,
    note: Literal["given", "predicted", "none"] = "none",
    length: float = 1024 / 44_100,
    sample_rate: int = 44_100,
) -> Path:
    """A checkpoint that hears the spectrum of mono clips."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    space = load_synth(synth).space
    shape = load_feature("spectrum").shape(1, round(length * sample_rate), sample_rate)
    record = Record(
        synth=synth, space=space.digest, note=note, notes="paper length=0.5", feature="spectrum", shape=shape,
        sample_rate=sample_rate, length=length, channels=1, inverter=inverter,
    )  # fmt: skip
    model = make_inverter(inverter, record.layout(), shape, note=note == "given")
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    state = {f"{PREFIX}{name}": value for name, value in model.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": state, ENTRY: {"record": record.to_dict()}}, path)
    return path
