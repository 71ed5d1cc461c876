"""A plug-in's parameter space and habits as data: what a spec file holds.

A spec is all that it takes to add a plug-in. `wav2patch synths inspect` drafts one, `synths check` proves it and
writes what it measured into `figures`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from wav2patch.parameters import Parameter, ParameterSpace
from wav2patch.priors import IndependentPrior, Marginal
from wav2patch.structure import Activity, Block, Symmetry


@dataclass(frozen=True)
class Knob:
    """A parameter of the space, and how it is set in the plug-in.

    A patch holds a continuous parameter's normalised value, as plug-ins know it (0 to 1, or the narrower range that
    `parameter` gives), and for a discrete or categorical one the place of its position in `positions`.

    Attributes:
        parameter: Its place in the parameter space.
        index: Place of the control in the plug-in's list.
        host_name: The plug-in's own name for it, to notice a plug-in whose list has changed.
        positions: Normalised values of a discrete or categorical parameter's positions.
        marginal: How the prior draws it, in the parameter's own units.
    """

    parameter: Parameter
    index: int
    host_name: str = ""
    positions: tuple[float, ...] = ()
    marginal: Marginal = field(default_factory=Marginal)


@dataclass(frozen=True)
class Fixed:
    """A control that every patch sets alike."""

    index: int
    value: float
    host_name: str = ""


@dataclass(frozen=True)
class Setting:
    """The order in which a plug-in is set before a note, and how it is brought back after one.

    Attributes:
        first: Places of the controls that have to be set first, on their own: types that change what others mean.
        settle: Seconds of silence after the first controls, and again after the others.
        flush: Seconds of silence before a patch is set, where state would leak otherwise.
        reload: Whether a fresh instance is needed for every render.
    """

    first: tuple[int, ...] = ()
    settle: float = 0.05
    flush: float = 0.0
    reload: bool = False


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
    """

    name: str
    title: str
    plugin: tuple[str, ...]
    variable: str
    knobs: tuple[Knob, ...]
    fixed: tuple[Fixed, ...] = ()
    setting: Setting = field(default_factory=Setting)
    gain: float = 1.0
    environment: dict[str, str] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    activities: tuple[Activity, ...] = ()
    symmetries: tuple[Symmetry, ...] = ()
    instructions: tuple[str, ...] = ()
    figures: dict[str, float | str] = field(default_factory=dict)
    notes: str = ""

    @cached_property
    def space(self) -> ParameterSpace:
        """The parameter space of the knobs."""
        return ParameterSpace(
            tuple(knob.parameter for knob in self.knobs), self.blocks, self.activities, self.symmetries
        )

    @cached_property
    def prior(self) -> IndependentPrior:
        """Every knob by its own rule."""
        return IndependentPrior(self.space, {knob.parameter.name: knob.marginal for knob in self.knobs})
