"""The inverters, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wav2patch.models.inverters.base import Inverter
from wav2patch.models.inverters.classification import Classification
from wav2patch.models.inverters.contrastive import ContrastivePair
from wav2patch.models.inverters.estimator import Estimator
from wav2patch.models.inverters.flow_matching import FlowMatching
from wav2patch.models.inverters.inversynth import InverSynth
from wav2patch.models.inverters.nearest import NearestNeighbour
from wav2patch.models.inverters.parts import build
from wav2patch.models.inverters.proxy import Proxy
from wav2patch.models.inverters.regression import Regression
from wav2patch.models.inverters.vae_flow import VaeFlow
from wav2patch.models.layout import Layout

INVERTERS: Mapping[str, Callable[..., Inverter]] = {
    one.kind: one
    for one in (
        *(FlowMatching, Regression, VaeFlow, Classification, InverSynth, Estimator),
        *(ContrastivePair, Proxy, NearestNeighbour),
    )
}


def make_inverter(settings: Mapping[str, Any] | str, layout: Layout, shape: tuple[int, ...], *, note: bool) -> Inverter:
    """An inverter from plain settings.

    Args:
        settings: Its ``kind``, and its constructor's arguments, such as ``{"kind": "regression", "width": 256,
            "encoder": {"name": "cnn_1d"}}``; or its kind alone.
        layout: Columns of what is proposed.
        shape: Of the features of one sound, channels first.
        note: Whether the model is told the note that was played.

    Raises:
        UserError: There is no such kind or setting; the sentence says what there is.
    """
    chosen = {"kind": settings} if isinstance(settings, str) else dict(settings)
    spec = {"name": chosen.pop("kind", None), **chosen}
    return build("method", INVERTERS, spec, layout, tuple(shape), note=note)
