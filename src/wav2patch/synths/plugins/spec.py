"""A plug-in's parameter space and habits as data: what a spec file holds.

A spec is all that it takes to add a plug-in. `wav2patch synths inspect` drafts one, `synths check` proves it and
writes what it measured into `figures`. The file is read and written by `spec_file`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from wav2patch.parameters import Categorical, Continuous, Parameter, ParameterSpace
from wav2patch.priors import IndependentPrior, Marginal
from wav2patch.structure import Activity, Block, Symmetry


@dataclass(frozen=True)
class Knob:
    """A parameter of the space, and how it is set in the plug-in.

    A patch holds a continuous parameter's normalised value, as plug-ins know it (0 to 1, or the narrower range that
    `parameter` gives), and for a discrete or categorical one the place of its position in `positions`, counted from
    the parameter's lowest value.

    Attributes:
        parameter: Its place in the parameter space.
        index: Place of the control in the plug-in's list.
        host_name: The plug-in's own name for it, to notice a plug-in whose list has changed.
        positions: Normalised values of a discrete or categorical parameter's positions, one for every value from
            its lowest to its highest; evenly spread from 0 to 1 where none are given.
        marginal: How the default prior draws it, in the parameter's own units.

    Raises:
        ValueError: The number of positions is not the number of values, or a normalised value leaves 0 to 1.
    """

    parameter: Parameter
    index: int
    host_name: str = ""
    positions: tuple[float, ...] = ()
    marginal: Marginal = field(default_factory=Marginal)

    def __post_init__(self) -> None:
        parameter = self.parameter
        if isinstance(parameter, Continuous):
            allowed = () if self.positions else (parameter.low, parameter.high)
        else:
            count = parameter.high - parameter.low + 1
            if not self.positions:
                object.__setattr__(self, "positions", even_positions(count))
            allowed = self.positions if len(self.positions) == count else ()
        if not allowed or not all(0 <= value <= 1 for value in allowed):
            raise ValueError(f"{parameter.name} takes one position from 0 to 1 for each of its values")
        if not parameter.low <= parameter.default <= parameter.high or parameter.low > parameter.high:
            raise ValueError(f"the default of {parameter.name} is outside its range")

    def normalised(self, value: float) -> float:
        """What the control is set to for a value of the parameter."""
        if isinstance(self.parameter, Continuous):
            return float(value)
        return self.positions[round(value) - self.parameter.low]

    def value(self, normalised: float) -> float:
        """The parameter's value that comes closest to what the plug-in reports, 0 to 1."""
        if isinstance(self.parameter, Continuous):
            return on_grid(self.parameter, normalised)
        return float(self.parameter.low + np.abs(np.array(self.positions) - normalised).argmin())


@dataclass(frozen=True)
class Fixed:
    """A control that every patch sets alike, to a normalised value."""

    index: int
    value: float
    host_name: str = ""


@dataclass(frozen=True)
class Setting:
    """The order in which a plug-in is set before a note, and how it is brought back after one.

    Before each render: a fresh instance (`reload`), or the plug-in's reset (`reset`) and `flush` seconds of silence;
    then the `first` controls, `settle` seconds, all the others, `settle` seconds, and the note.

    Attributes:
        first: Places of the controls that have to be set first, on their own: types that change what others mean.
        settle: Seconds of silence after the first controls, and again after the others.
        flush: Seconds of silence before a patch is set, where sound or state would leak otherwise.
        reset: Whether the plug-in's voices and effects are reset between renders.
        reload: Whether a fresh instance is needed for every render.
        restore: Whether controls that are neither knobs nor fixed are set back too, as some types change them.
        lifetime: Renders after which a worker process makes way for a new one, as the plug-in leaks memory; 0 for
            never.
    """

    first: tuple[int, ...] = ()
    settle: float = 0.05
    flush: float = 0.0
    reset: bool = True
    reload: bool = False
    restore: bool = False
    lifetime: int = 0


@dataclass(frozen=True)
class PluginSpec:
    """A plug-in as a synth.

    Attributes:
        name: Short name, as the command line takes it.
        title: Name for people.
        plugin: File names of the plug-in, the preferred format first, such as ``Surge XT.vst3``; looked for in the
            `variable` and in the system's plug-in folders, or a path.
        variable: Environment variable that may hold the plug-in's path.
        knobs: The parameters of the space, in order.
        fixed: Controls that every patch sets alike.
        setting: Order of setting.
        gain: Factor on the audio that brings draws of the prior to about −13 LUFS without clipping.
        environment: Environment variables that the plug-in reads in a worker.
        blocks: See `ParameterSpace`.
        activities: See `ParameterSpace`.
        symmetries: See `ParameterSpace`.
        instructions: How to open a preset file in the synth, a step a line.
        figures: What `synths check` measured: `noise_floor` in decibels of the objective, renders a second, ….
        notes: Remarks for people: sources, what was left out and why.
        published: How the paper that the space is from draws knobs, by their names; those not named are drawn as ever.
        most_silent: Share of the prior's draws that may be silent; more than a twentieth only for a prior that is
            a paper's own.

    Raises:
        ValueError: A control is named twice, or one that is set first is named nowhere; or a published rule
            is for no knob.
    """

    name: str
    title: str
    plugin: tuple[str, ...]
    variable: str
    knobs: tuple[Knob, ...]
    fixed: tuple[Fixed, ...] = ()
    setting: Setting = field(default_factory=Setting)
    gain: float = 1.0
    environment: Mapping[str, str] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    activities: tuple[Activity, ...] = ()
    symmetries: tuple[Symmetry, ...] = ()
    instructions: tuple[str, ...] = ()
    figures: Mapping[str, float | str] = field(default_factory=dict)
    notes: str = ""
    published: Mapping[str, Marginal] = field(default_factory=dict)
    most_silent: float = 0.05

    def __post_init__(self) -> None:
        counts = Counter([*(knob.index for knob in self.knobs), *(fixed.index for fixed in self.fixed)])
        if twice := [index for index, count in counts.items() if count > 1]:
            raise ValueError(f"control {twice[0]} of the plug-in is set by two entries")
        if unknown := self.published.keys() - {knob.parameter.name for knob in self.knobs}:
            raise ValueError(f"a published rule is for {min(unknown)!r}, which is no parameter")
        if nowhere := set(self.setting.first) - counts.keys():
            raise ValueError(f"control {min(nowhere)} is to be set first, but no parameter and no fixed control has it")

    @cached_property
    def space(self) -> ParameterSpace:
        """The parameter space of the knobs."""
        return ParameterSpace(
            tuple(knob.parameter for knob in self.knobs), self.blocks, self.activities, self.symmetries
        )

    @cached_property
    def prior(self) -> IndependentPrior:
        """Every knob by its own rule: patches that can be heard, and mostly in tune."""
        return IndependentPrior(self.space, self._rules())

    @cached_property
    def published_prior(self) -> IndependentPrior:
        """Every knob as the paper draws it that the space is from; the default prior where no rule is published."""
        return IndependentPrior(self.space, {**self._rules(), **self.published})

    def _rules(self) -> dict[str, Marginal]:
        return {knob.parameter.name: knob.marginal for knob in self.knobs}


def even_positions(count: int) -> tuple[float, ...]:
    """Normalised values of `count` positions as most plug-ins lay them out: 0, 1/(count − 1), …, 1."""
    return tuple(i / max(count - 1, 1) for i in range(count))


def on_grid(parameter: Parameter, value: float) -> float:
    """The nearest value that an encoding holds exactly; defaults have to be such values."""
    return float(ParameterSpace((parameter,)).snap([value])[0])


def choice(parameter: Parameter, value: float) -> float | str:
    """A value as a spec file writes it: the text of a choice, a whole number, or a number."""
    if isinstance(parameter, Categorical):
        return parameter.choices[round(value)]
    return float(value) if isinstance(parameter, Continuous) else round(value)
