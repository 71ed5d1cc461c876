"""Patches as the settings of a preset, and back."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from wav2patch.parameters import Patch
from wav2patch.synths.vital.names import (
    DESTINATIONS,
    FILTERS,
    LFOS,
    MODEL_CODES,
    OSCILLATORS,
    SLOTS,
    SOURCES,
    switch,
)
from wav2patch.synths.vital.shapes import SHAPES, shape_json
from wav2patch.synths.vital.space import vital_space

Settings = dict[str, Any]


def fixed_controls() -> dict[str, float]:
    """Controls that every patch sets alike, where that is not Vital's default.

    Oscillators start at a fixed phase, so that a patch always sounds the same; times are free of any tempo; LFOs
    fade in, which in Vital excludes smoothing them.
    """
    controls = {f"osc_{k}_random_phase": 0.0 for k in OSCILLATORS}
    for k in LFOS:
        controls |= {f"lfo_{k}_sync": 0.0, f"lfo_{k}_smooth_mode": 0.0}
    return controls | {"chorus_sync": 0.0, "delay_sync": 0.0, "delay_aux_sync": 0.0}


def patch_controls(patch: Patch) -> dict[str, float]:
    """The controls that a patch ``(P,)`` sets, by Vital's names, as far as they are numbers."""
    values = np.asarray(patch, dtype=np.float64).tolist()
    controls = {name: values[i] for name, i in plain_places()}
    for k in FILTERS:
        controls[f"filter_{k}_model"] = float(MODEL_CODES[int(controls[f"filter_{k}_model"])])
    controls["delay_aux_frequency"] = controls["delay_frequency"]
    return controls


def lfo_shapes(patch: Patch) -> tuple[str, ...]:
    """Names of the shapes of LFOs 1 to 4."""
    space = vital_space()
    return tuple(SHAPES[int(patch[space.index(f"lfo_{k}_shape")])] for k in LFOS)


def slots(patch: Patch) -> list[tuple[str, str, float, float]]:
    """Source, destination, amount and bipolar of each modulation slot; an empty source for an empty slot."""
    values = np.asarray(patch, dtype=np.float64)[_slot_places()]
    return [_slot(*row) for row in values.tolist()]


def _slot(source: float, destination: float, amount: float, bipolar: float) -> tuple[str, str, float, float]:
    name = SOURCES[int(source)]
    return ("" if name == "none" else name, DESTINATIONS[int(destination)], amount, bipolar)


@cache
def plain_places() -> tuple[tuple[str, int], ...]:
    """Names and places of the parameters that are controls of Vital of the same name."""
    special = {f"lfo_{k}_shape" for k in LFOS}
    special |= {f"modulation_{k}_{field}" for k in SLOTS for field in ("source", "destination", "amount", "bipolar")}
    return tuple((name, i) for i, name in enumerate(vital_space().names) if name not in special)


@cache
def _slot_places() -> np.ndarray:
    names = [[f"modulation_{k}_{f}" for f in ("source", "destination", "amount", "bipolar")] for k in SLOTS]
    return np.array([vital_space().indices(row) for row in names])


def sounding(patch: Patch) -> Settings:
    """What has to be set for one render, without wavetables and sample.

    Modulations that do nothing are left out, as even a connection of amount 0 changes how Vital works a control or
    an LFO out; the others come in an order of their own, so that exchanging slots changes no rounding.
    """
    controls = fixed_controls() | patch_controls(patch)
    active = sorted(slot for slot in slots(patch) if slot[0] and slot[2] and controls.get(switch(slot[1]), 1.0))
    for k, (_, _, amount, bipolar) in enumerate(active, start=1):
        controls |= {f"modulation_{k}_amount": amount, f"modulation_{k}_bipolar": bipolar}
    connections = [{"source": source, "destination": destination} for source, destination, _, _ in active]
    lines = [shape_json(shape) for shape in lfo_shapes(patch)]
    return controls | {"modulations": connections, "lfos": lines}
