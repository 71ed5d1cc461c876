"""The whole way from a plug-in's name to a spec."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from wav2patch.checking.finding import quantile
from wav2patch.checking.place import SOUND, Measure, Place
from wav2patch.checking.prior import MOST_KIB, growth
from wav2patch.checking.sameness import NEGLIGIBLE_DB, take
from wav2patch.drafting.bench import Report
from wav2patch.drafting.draft import THOROUGH, Draft, Effort, draft
from wav2patch.drafting.reading import read_controls
from wav2patch.errors import UserError
from wav2patch.rendering.base import Failure, Renderer
from wav2patch.rendering.choose import available_cores
from wav2patch.rendering.processes import ProcessRenderer
from wav2patch.synths.base import Synth
from wav2patch.synths.plugins.locate import locate
from wav2patch.synths.plugins.spec import PluginSpec
from wav2patch.synths.plugins.synth import PluginSynth

DEADLINE = 10.0
"""Seconds for a render of a second and a half before it counts as hung."""

_ENDINGS = ("", ".vst3", ".so", ".dll", ".vst", ".component", ".lv2")
_TAKES = 16
_LIFETIME = 400
_SHORTEST = 25
_LEAK_RENDERS = 80
_MOST_GROWN_KIB = 400 * 1024


def find_plugin(name: str) -> tuple[Path, str]:
    """A plug-in's path, and how a spec names it: by its file's name if it lies in a plug-in folder, else by its path.

    Args:
        name: A path, a file's name, or that without its ending.

    Raises:
        UserError: There is no such plug-in.
    """
    path = Path(name).expanduser()
    if not path.exists():
        located = locate([f"{name}{ending}" for ending in _ENDINGS])
        if located is None:
            raise UserError(
                f"there is no plug-in {name}: give the path of a .vst3 or .so, or the name of one in a plug-in folder."
            )
        path = located
    elsewhere = locate([path.name])
    named = elsewhere is not None and elsewhere.resolve() == path.resolve()
    return path.resolve(), path.name if named else str(path.resolve())


def inspect(
    name: str, report: Report, *, effort: Effort = THOROUGH, workers: int | None = None, seed: int = 0
) -> Draft:
    """Draft the spec of a plug-in, its noise floor measured.

    Args:
        name: As `find_plugin` takes it.
        report: Told of progress.
        effort: How much is rendered.
        workers: Renders side by side; one a core by default.
        seed: Of the patches that are listened to.

    Raises:
        UserError: There is no such plug-in, or nothing can be matched with it.
    """

    def make(spec: PluginSpec, count: int | None) -> Renderer:
        return ProcessRenderer(PluginSynth(spec), count or workers or available_cores(), DEADLINE, max_tasks=_LIFETIME)

    plugin, found = find_plugin(name)
    report("reading the controls", 0.0)
    controls = read_controls(plugin)
    drafted = draft(plugin, found, controls, make, report, effort=effort, seed=seed)
    place = Place(PluginSynth(drafted.spec), _isolated, report, seed)
    setting = replace(drafted.spec.setting, lifetime=find_lifetime(place))
    figures = {"noise_floor": find_floor(place), "silent_share": round(drafted.drawing.silent, 4)}
    return replace(drafted, spec=replace(drafted.spec, setting=setting, figures=figures))


def find_floor(place: Place) -> float:
    """The distance that nine patches in ten keep within when they are rendered again, in the objective's decibels."""
    floor = quantile([found.chance for found in take(place, _TAKES)], 0.9)
    return float(f"{floor:.3g}") if floor > NEGLIGIBLE_DB else 0.0


def find_lifetime(place: Place) -> int:
    """Renders after which a worker of a plug-in that leaks memory has to be replaced; 0 for one that does not leak."""
    with place.renderer() as renderer:
        results = renderer.map(place.patches(_LEAK_RENDERS), SOUND, Measure(SOUND.sample_rate))
    place.report("watching the memory", 1.0)
    grown = growth([result for result in results if not isinstance(result, Failure)]) or 0.0
    return 0 if grown <= MOST_KIB else int(min(max(_MOST_GROWN_KIB / grown, _SHORTEST), _LIFETIME))


def _isolated(synth: Synth, count: int) -> Renderer:
    return ProcessRenderer(synth, count, DEADLINE)
