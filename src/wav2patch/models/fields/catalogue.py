"""The vector fields by name."""

from __future__ import annotations

from types import MappingProxyType

from torch import nn

from wav2patch.models.fields.assigned_transformer import AssignedTransformer
from wav2patch.models.fields.equivariant_transformer import EquivariantTransformer
from wav2patch.models.fields.mlp import MlpField
from wav2patch.models.fields.parameter_transformer import ParameterTransformer

FIELDS: MappingProxyType[str, type[nn.Module]] = MappingProxyType(
    {
        "assigned_transformer": AssignedTransformer,
        "equivariant_transformer": EquivariantTransformer,
        "parameter_transformer": ParameterTransformer,
        "mlp": MlpField,
    }
)
"""Classes; each is called with a layout, `condition` and settings of its own."""
