"""Patches as presets: a copy of a document in which what the patch changes is changed."""

from __future__ import annotations

import copy

from wav2patch.parameters import Patch
from wav2patch.synths.vital.document import Document
from wav2patch.synths.vital.names import LFOS, SLOTS
from wav2patch.synths.vital.settings import lfo_shapes, patch_controls, slots
from wav2patch.synths.vital.shapes import shape_json

_FREED = {
    **{f"lfo_{k}_frequency": {f"lfo_{k}_sync": 0.0} for k in LFOS},
    **{f"lfo_{k}_fade_time": {f"lfo_{k}_smooth_mode": 0.0} for k in LFOS},
    "chorus_frequency": {"chorus_sync": 0.0},
    "delay_frequency": {"delay_sync": 0.0},
    "delay_aux_frequency": {"delay_aux_sync": 0.0},
}
"""What a changed control needs to take effect: a frequency in hertz none while it follows the tempo."""


def changed(document: Document, before: Patch, after: Patch, places: tuple[int, ...]) -> Document:
    """A copy of `document` in which what `after` has otherwise than `before` is set anew, and nothing else.

    Args:
        document: The preset to start from; it stays as it is.
        before: The patch ``(P,)`` that it reads as.
        after: The patch ``(P,)`` that it should read as.
        places: For every modulation slot, its place in the document's modulations.
    """
    written = {**document, "settings": dict(document["settings"])}
    settings = written["settings"]
    old, new = patch_controls(before), patch_controls(after)
    for name in (name for name in new if new[name] != old[name]):
        settings |= {name: new[name]} | _FREED.get(name, {})
    _change_lines(settings, before, after)
    _change_slots(settings, before, after, places)
    return written


def _change_lines(settings: Document, before: Patch, after: Patch) -> None:
    lines = list(settings["lfos"])
    for k, (old, new) in enumerate(zip(lfo_shapes(before), lfo_shapes(after), strict=True)):
        if old != new:
            lines[k] = shape_json(new)
    settings["lfos"] = lines


def _change_slots(settings: Document, before: Patch, after: Patch, places: tuple[int, ...]) -> None:
    connections = copy.copy(settings["modulations"])
    for place, old, new in zip(places, slots(before), slots(after), strict=True):
        if new == old:
            continue
        source, destination, amount, bipolar = new
        kept = connections[place] if new[:2] == old[:2] else {}
        # An empty slot keeps its destination, which Vital passes over: it reads back as it was.
        connections[place] = {**kept, "source": source, "destination": destination}
        settings[f"modulation_{place + 1}_amount"] = amount
        settings[f"modulation_{place + 1}_bipolar"] = bipolar
    settings["modulations"] = connections


def free_places(used: list[int]) -> tuple[int, ...]:
    """Places for all slots: `used` first, then the lowest that are free."""
    free = [place for place in range(64) if place not in used]
    return (*used, *free[: len(SLOTS) - len(used)])
