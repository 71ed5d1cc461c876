"""Presets as patches, and what of them a patch cannot hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from wav2patch.parameters import Patch
from wav2patch.synths.vital.document import Document, init_controls
from wav2patch.synths.vital.leftovers import (
    curved,
    effectless,
    left_out,
    loose_tempo,
    modulation_words,
    own_noise,
    part_words,
)
from wav2patch.synths.vital.names import (
    DESTINATIONS,
    FILTERS,
    LFOS,
    MODEL_CODES,
    OSCILLATORS,
    ROUTES,
    SLOTS,
    SOURCES,
)
from wav2patch.synths.vital.settings import plain_places
from wav2patch.synths.vital.shapes import SHAPES, nearest_shape
from wav2patch.synths.vital.space import vital_space
from wav2patch.synths.vital.wavetable import NAME, like_ours, still_frame
from wav2patch.synths.vital.writer import free_places


@dataclass(frozen=True, eq=False)
class Reading:
    """What a preset reads as.

    Attributes:
        patch: ``(P,)``.
        dropped: What the patch cannot hold, a phrase each.
        places: For every modulation slot, its place in the document's modulations.
    """

    patch: Patch
    dropped: tuple[str, ...]
    places: tuple[int, ...]


def read_patch(document: Document) -> Reading:
    """The patch that comes closest to a preset, and what it leaves out."""
    settings = init_controls() | document["settings"]
    space = vital_space()
    values: dict[str, float] = {}
    dropped: list[str] = []
    dropped += [*_tables(settings), *_routes(settings), *_models(settings), *left_out(settings)]
    _free_tempos(settings)
    values |= {name: float(settings[name]) for name, _ in plain_places()}
    used, lost = _slots(settings, values)
    dropped += lost
    dropped += _lines(settings, values)
    patch = np.array([values[name] for name in space.names])
    dropped += [f"{part_words(space.names[i])} beyond what is searched" for i in _outside(patch)]
    return Reading(space.snap(patch), tuple(dict.fromkeys(dropped)), free_places(used))


def _outside(patch: Patch) -> Iterator[int]:
    space = vital_space()
    slack = 1e-6 * (space.high - space.low)
    yield from np.flatnonzero((patch < space.low - slack) | (patch > space.high + slack)).tolist()


def _tables(settings: dict[str, Any]) -> Iterator[str]:
    """Wavetables other than ours; a table of one wave that ours has too becomes its place in ours."""
    for k, table in zip(OSCILLATORS, settings.get("wavetables", []), strict=False):
        if like_ours(table):
            continue
        frame = still_frame(table)
        if frame is not None:
            settings[f"osc_{k}_wave_frame"] = frame
        elif settings[f"osc_{k}_on"]:
            name = str(table.get("name", "")) or "its own"
            yield f"the wavetable of oscillator {k} (“{name}”; {NAME} instead)"
    if settings["sample_on"] and not own_noise(settings.get("sample", {})):
        name = str(settings.get("sample", {}).get("name", "")) or "its own"
        yield f"the sample “{name}” (white noise instead)"


def _free_tempos(settings: dict[str, Any]) -> None:
    """Frequencies that follow the tempo become those that they have at the preset's own; no smoothed LFO fades in."""
    for k in LFOS:
        if settings[f"lfo_{k}_smooth_mode"]:
            settings[f"lfo_{k}_fade_time"] = 0.0
    for part in (*(f"lfo_{k}" for k in LFOS), "chorus", "delay", "delay_aux"):
        if settings.get(f"{part}_sync", 0.0):
            settings[f"{part}_frequency"] = loose_tempo(settings, part)


def _routes(settings: dict[str, Any]) -> Iterator[str]:
    """Sources that go straight into one effect go to all of them."""
    for part in (*(f"osc_{k}" for k in OSCILLATORS), "sample"):
        if settings[f"{part}_destination"] >= len(ROUTES):
            settings[f"{part}_destination"] = float(ROUTES.index("effects"))
            if settings[f"{part}_on"]:
                yield f"the way of {part_words(part)} past some of the effects"


def _models(settings: dict[str, Any]) -> Iterator[str]:
    """Filter models by their place in ours; the formant filter becomes an analog one."""
    for k in FILTERS:
        code = int(settings[f"filter_{k}_model"])
        if code not in MODEL_CODES and settings[f"filter_{k}_on"]:
            yield f"the formant filter {k} (an analog filter instead)"
        settings[f"filter_{k}_model"] = float(MODEL_CODES.index(code) if code in MODEL_CODES else 0)


def _slots(settings: dict[str, Any], values: dict[str, float]) -> tuple[list[int], list[str]]:
    """Fill the slots of `values` with the modulations that fit, the first eight."""
    for k in SLOTS:
        values |= {f"modulation_{k}_{field}": 0.0 for field in ("source", "destination", "amount", "bipolar")}
    used: list[int] = []
    lost: list[str] = []
    connections = settings.get("modulations", [])
    for place, connection in enumerate(connections):
        known = connection["source"] in SOURCES and connection["destination"] in DESTINATIONS
        # An empty slot of ours keeps what it was set to.
        empty = not connection["source"] and place < len(SLOTS)
        if not (known or empty):
            lost += [] if effectless(settings, place, connection) else [modulation_words(connection)]
        elif len(used) == len(SLOTS):
            lost += [modulation_words(connection)] if known else []
        elif known or _leaves_room(connections, place, len(used)):
            used.append(place)
            _fill(values, len(used), settings, place, connection)
            lost += curved(settings, place, connection) if known else []
    return used, lost


def _leaves_room(connections: list[dict[str, Any]], place: int, used: int) -> bool:
    """Whether an empty slot may take a place: enough are left for all modulations that follow."""
    following = sum(bool(connection["source"]) for connection in connections[place:])
    return used + following < len(SLOTS)


def _fill(
    values: dict[str, float], slot: int, settings: dict[str, Any], place: int, connection: dict[str, Any]
) -> None:
    name = f"modulation_{slot}"
    source, destination = connection["source"] or "none", connection["destination"]
    values[f"{name}_source"] = float(SOURCES.index(source))
    values[f"{name}_destination"] = float(DESTINATIONS.index(destination)) if destination in DESTINATIONS else 0.0
    values[f"{name}_amount"] = float(settings[f"modulation_{place + 1}_amount"])
    values[f"{name}_bipolar"] = float(settings[f"modulation_{place + 1}_bipolar"])


def _lines(settings: dict[str, Any], values: dict[str, float]) -> Iterator[str]:
    """The nearest of our shapes for every LFO."""
    sources = {SOURCES[int(values[f"modulation_{k}_source"])] for k in SLOTS}
    lines = settings.get("lfos", [])
    for k in LFOS:
        shape, same = nearest_shape(lines[k - 1]) if k <= len(lines) else (SHAPES[0], True)
        values[f"lfo_{k}_shape"] = float(SHAPES.index(shape))
        if not same and f"lfo_{k}" in sources:
            yield f"the shape of LFO {k} (a {shape} instead)"
