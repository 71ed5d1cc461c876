"""Statistics as one JSON object, for people and programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.datasets.shards.layout import FEATURES, NOTE_COLUMNS
from wav2patch.datasets.statistics.measure import NEARLY_SILENT, Statistics
from wav2patch.datasets.statistics.moments import Moments
from wav2patch.datasets.statistics.parameter_axes import ParameterAxis
from wav2patch.datasets.statistics.scales import LOUDNESS, PEAK, Scale, note_scales

CROWDED = 0.9
"""Share of the rows in one bin from which a parameter counts as hardly varying."""

_MOST_NAMED = 100


def to_json(found: Statistics) -> str:
    """All but the mean and standard deviation of every bin, which `Statistics.arrays` has."""
    return json.dumps(describe(found), indent=1, ensure_ascii=False)


def describe(found: Statistics) -> dict[str, Any]:
    """All but the mean and standard deviation of every bin, as plain values."""
    held = found.holdings
    content = {
        "view": found.view,
        "name": found.name,
        "rows": found.rows,
        "rejected_before": found.summary.rejected,
        "silent": found.silent,
        "nearly_silent": found.nearly_silent,
        "nearly_silent_below": NEARLY_SILENT,
        "beyond_full_scale": found.beyond_full_scale,
        "shards": asdict(held) | {"compression": {k: _ratio(held.plain[k], held.stored[k]) for k in held.stored}},
        "loudness": _level(LOUDNESS, found),
        "features": {k.removeprefix(FEATURES): describe_feature(one) for k, one in found.features.items()},
        "notes": _notes(found),
        "parameters": [
            describe_parameter(axis, counts, found.summary.moments["parameters"]) for axis, counts in found.parameters
        ],
        "seconds": round(found.seconds, 2),
        "recipe": asdict(found.recipe),
    }
    return content | ({"peak": _level(PEAK, found)} if "peak" in found.summary.counts else {})


def describe_feature(found: Moments) -> dict[str, Any]:
    """The range of a feature, and which of its values never vary."""
    varying = found.std[~found.constant]
    return {
        "shape": list(found.mean.shape),
        "mean": float(found.mean.mean()),
        "std": float(np.sqrt((np.square(found.std) + np.square(found.mean - found.mean.mean())).mean())),
        "min": float(found.low.min()),
        "max": float(found.high.max()),
        "zero_variance": int(found.constant.sum()),
        "zero_variance_at": name_bins(found.constant)[:_MOST_NAMED],
        "least_std_above_zero": float(varying.min()) if len(varying) else None,
    }


def name_bins(marked: NDArray[np.bool_]) -> list[str]:
    """Places in an array, neighbours along the last axis in one, such as ``"0,127,3-400"``."""
    named = []
    for place in np.ndindex(marked.shape[:-1]):
        edges = np.flatnonzero(np.diff(marked[place], prepend=False, append=False))
        for first, stop in edges.reshape(-1, 2):
            run = f"{first}" if stop - first == 1 else f"{first}-{stop - 1}"
            named.append(",".join([*map(str, place), run]))
    return named


def describe_parameter(axis: ParameterAxis, counts: NDArray[np.int64], moments: Moments) -> dict[str, Any]:
    """A parameter's histogram, and its range in the synth's units."""
    most = int(counts.argmax())
    content: dict[str, Any] = {
        "name": axis.name,
        "kind": axis.kind,
        "most_often": axis.label(most),
        "share_of_most_often": float(counts[most] / counts.sum()),
        "never_varies": never_varies(axis, moments),
        "counts": counts.tolist(),
    }
    if axis.kind == "categorical":
        return content | {"choices": list(axis.choices)}
    place = axis.columns.start
    values = {"mean": moments.mean[place], "min": moments.low[place], "max": moments.high[place]}
    content |= {name: axis.value(float(value)) for name, value in values.items()}
    return content | {"std": float(moments.std[place]) * (axis.high - axis.low), "low": axis.low, "high": axis.high}


def never_varies(axis: ParameterAxis, moments: Moments) -> bool:
    """Whether a parameter is the same in every row."""
    return bool(moments.constant[axis.columns].all())


def _level(scale: Scale, found: Statistics) -> dict[str, Any]:
    moments, counts = found.summary.moments[scale.name], found.summary.counts[scale.name]
    quantiles = {f"{share:.0%}": scale.quantile(counts, share) for share in (0.05, 0.25, 0.5, 0.75, 0.95)}
    return {
        "unit": scale.unit,
        "mean": float(moments.mean),
        "std": float(moments.std),
        "min": float(moments.low),
        "max": float(moments.high),
        "quantiles": {share: value for share, value in quantiles.items() if np.isfinite(value)},
        **_histogram(scale, counts),
    }


def _notes(found: Statistics) -> Mapping[str, Any]:
    moments, notes = found.summary.moments["notes"], {}
    for i, (name, scale) in enumerate(zip(NOTE_COLUMNS, note_scales(found.recipe.length), strict=True)):
        values = {"mean": moments.mean[i], "std": moments.std[i], "min": moments.low[i], "max": moments.high[i]}
        notes[name] = {k: float(v) for k, v in values.items()} | _histogram(scale, found.summary.counts[name])
    return notes


def _histogram(scale: Scale, counts: NDArray[np.int64]) -> dict[str, Any]:
    edges = {"first": scale.low, "last": scale.high, "bins": scale.bins}
    return {"edges": edges, "below": int(counts[0]), "above": int(counts[-1]), "counts": counts[1:-1].tolist()}


def _ratio(plain: int, stored: int) -> float | None:
    return round(plain / stored, 3) if stored else None
