"""How proposals are made of a model's graphs, kind by kind: what each inverter does in `propose_batch`, in NumPy.

Random numbers are drawn in the shapes and the order in which PyTorch draws them there, so that the two can be compared
number by number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.weights.graphs import OnnxGraph
from wav2patch.weights.samplers import guided, sample

Array = NDArray[np.floating]

_AT_ONCE = 64
"""Draws that are decoded together."""


@dataclass(frozen=True, eq=False)
class Parts:
    """What proposals are made of.

    Attributes:
        graphs: By name.
        sampling: Plain values; see `Inverter.sampling`.
        tables: Arrays by name; see `Inverter.tables`.
    """

    graphs: Mapping[str, OnnxGraph]
    sampling: Mapping[str, Any]
    tables: Mapping[str, NDArray[Any]]


Heard = Mapping[str, Array]
"""Inputs of a graph that listens, of one sound: ``features`` ``(1, …)`` and, of some models, ``notes`` ``(1, 4)``."""


@dataclass(frozen=True)
class Kind:
    """A way of making proposals.

    Attributes:
        propose: From parts, what is heard and a number n to vectors ``(n, D)`` in about [−1, 1].
        count: How many different ones there are for a sound; None where chance makes ever new ones.
    """

    propose: Callable[[Parts, Heard, int, np.random.Generator], Array]
    count: Callable[[Parts], int | None] = lambda parts: None


def _flow(parts: Parts, heard: Heard, n: int, generator: np.random.Generator) -> Array:
    """`FlowMatching`: noise, carried along a vector field."""
    (token,) = parts.graphs["listen"](**heard)
    condition = np.repeat(token, n, axis=0)
    start = generator.standard_normal((n, int(parts.sampling["width"])), dtype=np.float32)

    def velocity_of(points: Array, times: Array, told: Array) -> Array:
        return parts.graphs["velocity"](x=points, t=times, condition=told)[0]

    velocity = guided(velocity_of, condition, parts.tables["null"], float(parts.sampling["guidance"]))
    sampler = parts.sampling["sampler"]
    landing = bool(parts.sampling.get("landing", False))
    return sample(velocity, start, sampler["name"], int(sampler["steps"]), landing=landing)


def _direct(parts: Parts, heard: Heard, n: int, generator: np.random.Generator) -> Array:
    """`Regression`: one answer, n times."""
    return np.repeat(parts.graphs["network"](**heard)[0], n, axis=0)


def _latent(parts: Parts, heard: Heard, n: int, generator: np.random.Generator) -> Array:
    """`VaeFlow`: the Gaussian's mean, and draws of it, decoded."""
    mean, deviation = parts.graphs["listen"](**heard)
    drawn = generator.standard_normal((n - 1, int(parts.sampling["noise"])), dtype=np.float32)
    latents = mean + deviation * np.concatenate([np.zeros_like(mean), drawn])
    return parts.graphs["decode"](latent=latents)[0]


def _classes(parts: Parts, heard: Heard, n: int, generator: np.random.Generator) -> Array:
    """`Classification`: the likeliest class of every parameter, and draws of every softmax."""
    return _class_vectors(parts, *_drawn_classes(parts, heard, n, generator))


def _chosen(parts: Parts, heard: Heard, n: int, generator: np.random.Generator) -> Array:
    """`InverSynth`: the likeliest, and of many draws those that its decoder expects to sound most alike."""
    classes, within = _drawn_classes(parts, heard, 1 + int(parts.sampling["of"]) * (n - 1), generator)
    sizes = parts.sampling["sizes"]
    read = np.concatenate([one[:, None] == np.arange(size) for one, size in zip(classes, sizes, strict=True)], axis=1)
    apart = []
    for start in range(1, len(read), _AT_ONCE):
        some = read[start : start + _AT_ONCE].astype(np.float32)
        notes = {name: np.repeat(one, len(some), axis=0) for name, one in heard.items() if name == "notes"}
        (expected,) = parts.graphs["decode"](read=some, **notes)
        apart.append(np.abs(expected - heard["features"]).reshape(len(some), -1).mean(axis=1))
    order = np.argsort(np.concatenate([np.zeros(0, np.float32), *apart]), kind="stable")[: n - 1]
    return _class_vectors(parts, classes, within)[np.concatenate([[0], 1 + order])]


def _table(parts: Parts, heard: Heard, n: int, generator: np.random.Generator) -> Array:
    """`NearestNeighbour`, `Choosing`: vectors whose keys are nearest; from the start again when all were."""
    keys, (asked,) = parts.tables["keys"].astype(np.float32), parts.graphs["network"](**heard)
    if parts.sampling.get("distance") == "manhattan":
        distances = np.abs(keys - asked[0]).sum(axis=1)
    else:
        distances = np.square(keys).sum(axis=1) - 2.0 * keys @ asked[0]
    order = np.argsort(distances, kind="stable")[:n]
    return parts.tables["vectors"][order[np.arange(n) % len(order)]]


def _drawn_classes(
    parts: Parts, heard: Heard, n: int, generator: np.random.Generator
) -> tuple[NDArray[np.intp], Array]:
    """Classes ``(P, n)``, the likeliest first and the others drawn, and places within them ``(P, n)``."""
    (logits,) = parts.graphs["network"](**heard)
    sizes, temperature = parts.sampling["sizes"], float(parts.sampling["temperature"])
    odds, places = generator.random((2, len(sizes), n - 1), dtype=np.float32)
    within = np.concatenate([np.zeros((len(sizes), 1), np.float32), places - np.float32(0.5)], axis=1)
    own = np.split(logits[0], np.cumsum(sizes)[:-1])
    drawn = [
        np.concatenate([[one.argmax()], _drawn(one, temperature, chance)])
        for one, chance in zip(own, odds, strict=True)
    ]
    return np.stack(drawn), within


def _class_vectors(parts: Parts, classes: NDArray[np.intp], within: Array) -> Array:
    """Vectors ``(n, D)`` of classes ``(P, n)`` and places within them."""
    kinds = zip(parts.sampling["forms"], parts.sampling["sizes"], classes, within, strict=True)
    return np.concatenate([_class_columns(*one) for one in kinds], axis=1).astype(np.float32)


def _drawn(logits: Array, temperature: float, odds: Array) -> NDArray[np.intp]:
    """Classes where the summed probabilities pass the odds."""
    raised = np.exp((logits - logits.max()) / np.float32(temperature))
    summed = np.cumsum(raised / raised.sum())
    return np.minimum(np.searchsorted(summed, odds, side="right"), len(logits) - 1)


def _class_columns(form: str, size: int, classes: NDArray[np.intp], within: Array) -> NDArray[np.floating]:
    """Columns ``(n, 1 or size)`` in [−1, 1] of a parameter's classes ``(n,)``; see `Classification.sampling`."""
    if form == "choices":
        return 2.0 * (classes[:, None] == np.arange(size)) - 1.0
    if form == "bins":
        return ((2.0 * (classes + within) + 1.0) / size - 1.0)[:, None]
    return (2.0 * classes / max(size - 1, 1) - 1.0)[:, None]


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "flow": Kind(_flow),
        "direct": Kind(_direct, lambda parts: 1),
        "latent": Kind(_latent),
        "classes": Kind(_classes),
        "chosen": Kind(_chosen),
        "table": Kind(_table, lambda parts: len(parts.tables["keys"])),
    }
)
"""Ways of making proposals by their names."""
