"""Parts of models from plain settings, such as a configuration file has.

A part is asked for by its name, or by a mapping of its name and settings: ``"cnn_1d"``, ``{"name": "cnn_1d",
"hidden": 256}``. Names come from closed tables, never from import paths: a model folder that a user was handed must
not be able to run code.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from torch import nn

from wav2patch.errors import UserError
from wav2patch.models.encoders.catalogue import ENCODERS
from wav2patch.models.fields.catalogue import FIELDS
from wav2patch.models.layout import Layout

T = TypeVar("T")
Spec = str | Mapping[str, Any]
"""A name, or a name and settings."""


def build(what: str, table: Mapping[str, Callable[..., T]], spec: Spec, *given: Any, **fixed: Any) -> T:
    """One entry of a table, called with the settings of a spec.

    Args:
        what: Word for people, such as ``"encoder"``.
        table: By name.
        spec: What is wanted.
        given: First arguments, which a spec cannot set.
        fixed: Further arguments of this kind.

    Raises:
        UserError: There is no such name or setting; the sentence lists those that there are.
    """
    settings: dict[str, Any] = {"name": spec} if isinstance(spec, str) else dict(spec)
    name = settings.pop("name", None)
    if name not in table:
        raise UserError(f"there is no {what} called {name!r}: choose from {', '.join(table)}.")
    maker = table[name]
    offered = [one for one in inspect.signature(maker).parameters if one not in fixed][len(given) :]
    for setting in settings:
        if setting not in offered:
            raise UserError(f"the {what} {name} has no setting {setting!r}: {_hint(str(setting), offered)}.")
    try:
        return maker(*given, **fixed, **settings)
    except (TypeError, ValueError) as error:
        raise UserError(f"the {what} {name} cannot be made: {error}.") from error


def _hint(setting: str, offered: list[str]) -> str:
    near = difflib.get_close_matches(setting, offered, 1)
    if near:
        return f"write {near[0]}"
    return f"it has {', '.join(offered)}" if offered else "it has none"


def make_encoder(spec: Spec, shape: tuple[int, ...], *, tokens: int, width: int) -> nn.Module:
    """An encoder of features of a shape; see `wav2patch.models.encoders`.

    Raises:
        UserError: The spec names something unknown.
    """
    return build("encoder", ENCODERS, spec, shape, tokens=tokens, width=width)


def make_field(spec: Spec, layout: Layout, *, condition: int, outputs: Layout | None = None) -> nn.Module:
    """A vector field over a layout's columns; see `wav2patch.models.fields`.

    Args:
        spec: Which.
        layout: Columns of the points.
        condition: Width of a condition token.
        outputs: Columns of the answers, `gridded` of the layout; None for those of the layout.

    Raises:
        UserError: The spec names something unknown.
    """
    return build("field", FIELDS, spec, layout, condition=condition, outputs=outputs)
