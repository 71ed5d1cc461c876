"""From a plug-in to a spec with which sounds can be matched at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wav2patch.drafting.audible import Base, Found, find_audible, find_bases
from wav2patch.drafting.bench import Bench, Maker, Report, bench
from wav2patch.drafting.chance import Drawing, find_drawing
from wav2patch.drafting.grouping import find_blocks
from wav2patch.drafting.habits import AUDIBLE_DB, Habits, find_habits
from wav2patch.drafting.kinds import Described, stepped
from wav2patch.drafting.raw import Raw, raw_spec, reshaped
from wav2patch.drafting.steps import find_steps
from wav2patch.drafting.symmetries import find_symmetries
from wav2patch.drafting.told import instructions, notes
from wav2patch.drafting.tuning import in_tune
from wav2patch.errors import UserError
from wav2patch.parameters import Categorical
from wav2patch.synths.plugins.spec import Knob, PluginSpec


@dataclass(frozen=True)
class Effort:
    """How much is rendered: patches that controls are moved in, and draws for an attempt at a prior."""

    bases: int = 10
    draws: int = 160
    pairs: int = 4
    steps: bool = True


THOROUGH = Effort()
QUICK = Effort(bases=6, draws=80, pairs=2, steps=False)


@dataclass(frozen=True)
class Draft:
    """A drafted spec, and how it came about.

    Attributes:
        spec: Ready to match with.
        controls: Number of controls that the plug-in shows.
        excluded: Why controls were left out, by their identifiers.
        unheard: Identifiers of the controls that no render betrayed.
        by_ear: Identifiers of those whose steps were found by listening.
        habits: Leftovers and chance.
        drawing: The prior.
        renders: How many it took.
        failures: Reasons of the renders that failed.
    """

    spec: PluginSpec
    controls: int
    excluded: Mapping[str, str]
    unheard: tuple[str, ...]
    by_ear: tuple[str, ...]
    habits: Habits
    drawing: Drawing
    renders: int
    failures: tuple[str, ...]


def draft(
    plugin: Path,
    found: str,
    controls: Sequence[Described],
    make: Maker,
    report: Report,
    *,
    effort: Effort = THOROUGH,
    seed: int = 0,
) -> Draft:
    """Listen to a plug-in and write down what it takes to match with it.

    Args:
        plugin: Its file or bundle.
        found: How the spec is to name it.
        controls: As `read_controls` gives them.
        make: Makes a renderer of a spec.
        report: Told of progress.
        effort: How much is rendered.
        seed: Of the patches that are listened to.

    Raises:
        UserError: No patch makes a sound, or no control can be heard.
    """
    raw = raw_spec(plugin, found, controls)
    habits = find_habits(raw.spec, make, report, seed, effort.pairs)
    random = habits.chance > AUDIBLE_DB
    spec = replace(raw.spec, setting=habits.setting)
    with bench(spec, make, report) as place:
        heard = _listen(spec, place, effort, seed, random=random)
        spec, by_ear = _kept(raw, spec, heard, place, effort)
        renders, failures = place.renders, place.failures
    spec = _ordered(spec)
    with bench(spec, make, report) as place:
        spec = in_tune(spec, place)
        blocks = find_blocks(spec.space.parameters)
        symmetries = find_symmetries(spec.space, blocks, place, seed, random=random)
        drawing = find_drawing(spec.space, place, seed, effort.draws)
        renders, failures = renders + place.renders, failures + place.failures
    unheard = tuple(k.parameter.name for k in raw.spec.knobs if k.parameter.name not in spec.space.names)
    spec = replace(_drawn(spec, drawing), gain=drawing.gain, blocks=blocks, symmetries=symmetries)
    done = Draft(spec, len(controls), raw.excluded, unheard, by_ear, habits, drawing, renders, tuple(failures))
    return replace(done, spec=replace(spec, notes=notes(done), instructions=instructions(plugin, spec.title)))


def _listen(spec: PluginSpec, place: Bench, effort: Effort, seed: int, *, random: bool) -> dict[int, Found]:
    bases: list[Base] = find_bases(spec.space, place, seed, effort.bases, random=random)
    heard = find_audible(spec.space, place, bases, random=random)
    if not heard:
        raise UserError(f"no control of {spec.title} can be heard: nothing can be matched with it.")
    return heard


def _kept(
    raw: Raw, spec: PluginSpec, heard: Mapping[int, Found], place: Bench, effort: Effort
) -> tuple[PluginSpec, tuple[str, ...]]:
    """The spec with the knobs that were heard, and the names of those that have steps nobody told of."""
    untold = [item for i, item in heard.items() if not raw.shapes[spec.knobs[i].parameter.name].told]
    steps = find_steps(place, untold) if effort.steps else {}
    knobs: list[Knob] = []
    for i, knob in enumerate(spec.knobs):
        parameter = knob.parameter
        if i in steps:
            shape = stepped(parameter.name, parameter.label, steps[i], float(parameter.default))
            knobs.append(reshaped(knob, shape))
        elif i in heard:
            knobs.append(knob)
    return replace(spec, knobs=tuple(knobs)), tuple(spec.space.names[i] for i in sorted(steps))


def _ordered(spec: PluginSpec) -> PluginSpec:
    """Choices among unlike things are set first: they may change what other controls mean."""
    first = [k.index for k in spec.knobs if isinstance(k.parameter, Categorical) and len(k.parameter.choices) > 2]
    return replace(spec, setting=replace(spec.setting, first=tuple(first)))


def _drawn(spec: PluginSpec, drawing: Drawing) -> PluginSpec:
    knobs = tuple(replace(knob, marginal=drawing.marginals[knob.parameter.name]) for knob in spec.knobs)
    return replace(spec, knobs=knobs)
