"""The whole check of one synth."""

from __future__ import annotations

from wav2patch.checking.finding import Verdict
from wav2patch.checking.place import SOUND, Maker, Place, Report
from wav2patch.checking.presets import judge_opened, judge_presets
from wav2patch.checking.prior import judge_prior, judge_replacement
from wav2patch.checking.sameness import judge_sameness, take
from wav2patch.checking.speed import judge_speed, nothing
from wav2patch.errors import UserError
from wav2patch.rendering.base import Failure, Renderer
from wav2patch.rendering.processes import ProcessRenderer
from wav2patch.synths.base import Synth
from wav2patch.synths.plugins.synth import PluginSynth

DEADLINE = 10.0
"""Seconds for a render of a second and a half before it counts as hung."""

LIFETIME = 500
"""Renders after which a worker is replaced: enough to see memory grow, and no more than a machine can bear."""

FEWEST = 20
_MOST_TAKES, _MOST_FILES = 40, 8


def isolated(synth: Synth, workers: int) -> Renderer:
    """Worker processes, whatever the synth: new ones, and expendable."""
    return ProcessRenderer(synth, workers, DEADLINE, max_tasks=LIFETIME)


def check(synth: Synth, report: Report, *, renders: int = 200, seed: int = 0, make: Maker = isolated) -> Verdict:
    """Prove what a synth promises, and measure the rest.

    Args:
        synth: Ready to render.
        report: Told of progress.
        renders: Draws of the prior to render; the other checks take a part of that number each.
        seed: Of the draws.
        make: Makes renderers.

    Raises:
        UserError: The synth is not installed, or no render succeeded at all.
        ValueError: There are too few renders.
    """
    if renders < FEWEST:
        raise ValueError(f"a check takes at least {FEWEST} renders, not {renders}")
    if reason := synth.missing():
        raise UserError(reason)
    place = Place(synth, make, report, seed)
    takes = take(place, min(renders // 5, _MOST_TAKES))
    if not takes:
        raise UserError(f"no draw of the prior of {synth.name} could be rendered: {_reason(place)}.")
    findings = judge_sameness(takes, declared_floor(synth))
    floor = max(found.chance for found in takes)
    files = min(max(renders // 25, 2), _MOST_FILES)
    findings.append(judge_presets(place, files, 1.5 * floor))
    if isinstance(synth, PluginSynth):
        findings.append(judge_opened(place, synth, files, 1.5 * floor))
    findings += [*judge_prior(place, renders), judge_replacement(place), judge_speed(place)]
    return Verdict(synth.name, findings)


def declared_floor(synth: Synth) -> float | None:
    """The noise floor that a synth is known by; None for a plug-in that was never checked."""
    if isinstance(synth, PluginSynth) and "noise_floor" not in synth.spec.figures:
        return None
    return synth.noise_floor


def _reason(place: Place) -> str:
    with place.renderer() as renderer:
        (result,) = renderer.map([place.synth.space.default], SOUND, nothing)
    return result.reason if isinstance(result, Failure) else "each failed"
