"""The first, rough spec: every control that may be part of a sound is a knob."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from wav2patch.drafting.kinds import Described, Shape, shape
from wav2patch.drafting.words import identifiers, left_out
from wav2patch.errors import UserError
from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.priors import IndependentPrior, Marginal
from wav2patch.synths.plugins.spec import Fixed, Knob, PluginSpec

_UNTOUCHED = ("is no part of a sound", "answers to controllers")
"""Controls that are not even set: setting a program would change all the others."""


@dataclass(frozen=True)
class Raw:
    """The rough spec, and what is known of each control.

    Attributes:
        spec: Its knobs are what listening will judge.
        shapes: By a knob's name.
        excluded: Why controls are no knobs, by their identifiers.
    """

    spec: PluginSpec
    shapes: dict[str, Shape]
    excluded: dict[str, str]


def raw_spec(plugin: Path, found: str, controls: Sequence[Described]) -> Raw:
    """The spec to begin with.

    Args:
        plugin: Its file or bundle.
        found: How the spec names it: the file's name where it lies in a plug-in folder, else its path.
        controls: As read.

    Raises:
        UserError: No control can be part of a sound.
    """
    names = identifiers([control.name for control in controls])
    # A number that tells two unused controls apart is none of their name.
    reasons = {name: left_out(_plain(control.name)) for name, control in zip(names, controls, strict=True)}
    shapes = {name: shape(c, name) for name, c in zip(names, controls, strict=True) if not reasons[name]}
    knobs = [_knob(c, shapes[name]) for name, c in zip(names, controls, strict=True) if name in shapes]
    if not knobs:
        raise UserError(f"none of the {len(controls)} controls of {plugin} is part of a sound.")
    fixed = [
        Fixed(c.index, c.default, c.name)
        for name, c in zip(names, controls, strict=True)
        if (reason := reasons[name]) and reason not in _UNTOUCHED
    ]
    name = identifiers([plugin.stem])[0]
    variable = f"WAV2PATCH_{name.upper()}"
    spec = PluginSpec(name, plugin.stem, (found,), variable, tuple(knobs), tuple(fixed))
    return Raw(spec, shapes, {name: reason for name, reason in reasons.items() if reason})


def _plain(name: str) -> str:
    return re.sub(r"_\d+$", "", identifiers([name])[0]) if name.strip() else "unnamed"


def _knob(control: Described, found: Shape) -> Knob:
    return Knob(found.parameter, control.index, control.name, found.positions)


def reshaped(knob: Knob, found: Shape) -> Knob:
    """The same control as another kind of parameter."""
    return replace(knob, parameter=found.parameter, positions=found.positions, marginal=Marginal())


def scatter(space: ParameterSpace, strength: float, generator: np.random.Generator, count: int) -> Patch:
    """Patches ``(count, P)`` in which each parameter is drawn with a probability of `strength`, else at its default."""
    held = {p.name: Marginal(constant=p.default, probability=1 - strength) for p in space.parameters}
    return IndependentPrior(space, held).sample(generator, count)
