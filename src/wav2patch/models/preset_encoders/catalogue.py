"""The preset encoders that settings can name, and the sizes that were published."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from torch import nn

from wav2patch.models.inverters.parts import Spec, build
from wav2patch.models.layout import Layout
from wav2patch.models.preset_encoders.feed_forward import PresetHighway, PresetMlp, PresetResnet
from wav2patch.models.preset_encoders.recurrent import PresetGru
from wav2patch.models.preset_encoders.transformer import PresetTransformer

PRESET_ENCODERS: MappingProxyType[str, type[nn.Module]] = MappingProxyType(
    {
        "mlp": PresetMlp,
        "highway": PresetHighway,
        "resnet": PresetResnet,
        "gru": PresetGru,
        "transformer": PresetTransformer,
    }
)
"""Classes; each is called with ``(layout, size)`` and settings of its own."""

_TOKENS = {"bias": False, "spread": 0.02}
PUBLISHED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "mlp_raw": {"name": "mlp", "inputs": "scalars"},
        "mlp_oh": {"name": "mlp", "inputs": "one_hots"},
        "hn_oh": {"name": "highway", "inputs": "one_hots"},
        "hn_pt": {"name": "highway", "inputs": {"name": "tokens", **_TOKENS}, "hidden": 512},
        "hn_ptgru": {"name": "highway", "inputs": {"name": "recurrent_tokens", "positions": True, **_TOKENS}},
        "gru_oh": {"name": "gru"},
        "rn_oh": {"name": "resnet"},
        "tfm": {"name": "transformer", "tokens": {"positions": True, **_TOKENS}},
    }
)
"""Those of Combes et al. (JAES 2025), by the names they have there."""


def make_preset_encoder(spec: Spec, layout: Layout, size: int) -> nn.Module:
    """A preset encoder from plain settings.

    Args:
        spec: A name of `PRESET_ENCODERS` or `PUBLISHED`, or one with settings; those given beside a published name
            take the place of what was published, in its inputs and tokens too.
        layout: Columns of the patches.
        size: Of an embedding.

    Raises:
        UserError: The spec names something unknown.
    """
    settings: dict[str, Any] = {"name": spec} if isinstance(spec, str) else dict(spec)
    published = PUBLISHED.get(settings.get("name", ""))
    if published is not None:
        beneath = {
            key: {**published[key], **value}
            for key, value in settings.items()
            if isinstance(value, Mapping) and isinstance(published.get(key), Mapping) and "name" not in value
        }
        settings = {**published, **settings, **beneath, "name": published["name"]}
    return build("preset encoder", PRESET_ENCODERS, settings, layout, size)
