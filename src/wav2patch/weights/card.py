"""The card of a model: what it was made of, what it can do and what not, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import yaml

from wav2patch.errors import UserError
from wav2patch.weights.record import Record


@dataclass(frozen=True)
class Card:
    """Facts about a model that nobody can find out from its weights.

    Attributes:
        data: What it was trained on, a sentence.
        steps: Optimizer steps.
        hardware: What it was trained on, such as ``"2 CPU cores"``.
        hours: How long that took.
        figures: What was measured, by what it is, such as ``{"distance after 64 renders": "7.1 dB"}``.
        limits: What it cannot do, a sentence each.
    """

    data: str = ""
    steps: int | None = None
    hardware: str = ""
    hours: float | None = None
    figures: Mapping[str, str] = field(default_factory=dict)
    limits: tuple[str, ...] = ()


def read_card(path: Path) -> Card:
    """The facts in a YAML file whose entries are those of `Card`.

    Raises:
        UserError: It is missing, no YAML, or has an entry that a card does not have.
    """
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read: give a YAML file.") from error
    known = [one.name for one in fields(Card)]
    if not isinstance(told, dict) or not {*told} <= {*known}:
        raise UserError(f"the card in {path} has other entries than {', '.join(known)}: leave those out.")
    if not isinstance(told.get("figures", {}), dict) or not isinstance(told.get("limits", []), list):
        raise UserError(f"the card in {path} has figures by their names, and limits as a list.")
    return Card(**{**told, "limits": tuple(map(str, told.get("limits", ())))})


def write_card(card: Card, record: Record, *, parameters: int | None = None) -> str:
    """The card as Markdown.

    Args:
        card: The facts; those that are not known are left out.
        record: Of the model.
        parameters: Numbers in its weights.
    """
    hears = f"{record.feature} of {record.length:g} s at {record.sample_rate} Hz, {_channels(record.channels)}"
    rows = {
        "synth": f"{record.synth} (parameter space {record.space})",
        "method": str(record.inverter["kind"]),
        "weights": "" if parameters is None else f"{parameters:,} numbers",
        "hears": hears,
        "note": {"given": "is told the note", "predicted": "predicts the note", "none": "knows no notes"}[record.note],
        "notes in training": record.notes,
        "data": card.data,
        "steps": "" if card.steps is None else f"{card.steps:,}",
        "hardware": card.hardware,
        "hours": "" if card.hours is None else f"{card.hours:.3g}",
        "wav2patch": record.version,
    }
    parts = [f"# {record.inverter['kind']} for {record.synth}", _table({k: v for k, v in rows.items() if v})]
    if card.figures:
        parts += ["## Figures", _table(card.figures)]
    if card.limits:
        parts += ["## Limits", "\n".join(f"- {limit}" for limit in card.limits)]
    return "\n\n".join(parts) + "\n"


def _channels(channels: int) -> str:
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")


def _table(rows: Mapping[str, str]) -> str:
    lines = [f"| {name} | {' '.join(str(value).split()).replace('|', '/')} |" for name, value in rows.items()]
    return "\n".join(["| | |", "|---|---|", *lines])
