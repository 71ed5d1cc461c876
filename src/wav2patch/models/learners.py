"""All that can be trained, by name: the inverters, and what is pretrained for their encoders."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from wav2patch.models.inverters.base import Learner
from wav2patch.models.inverters.catalogue import INVERTERS, make_inverter
from wav2patch.models.inverters.parts import build
from wav2patch.models.layout import Layout
from wav2patch.models.pretraining.masked_transformer import MaskedTransformer
from wav2patch.models.pretraining.masked_unet import MaskedUnet

PRETRAINING: MappingProxyType[str, type[Learner]] = MappingProxyType(
    {one.kind: one for one in (MaskedUnet, MaskedTransformer)}
)
"""Models that learn to hear, and propose nothing."""


def make_learner(settings: Mapping[str, Any], layout: Layout, shape: tuple[int, ...], *, note: bool) -> Learner:
    """An inverter or a model that is pretrained, from plain settings; see `make_inverter`.

    Raises:
        UserError: There is no such kind or setting; the sentence says what there is.
    """
    chosen = dict(settings)
    kind = chosen.pop("kind", None)
    if kind in INVERTERS or kind not in PRETRAINING:
        return make_inverter(settings, layout, shape, note=note)
    return build("method", PRETRAINING, {"name": kind, **chosen}, layout, tuple(shape), note=note)
