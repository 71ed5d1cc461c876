"""Which parameters of a patch matter: each is changed, rendered, and the sound compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import numpy as np

from wav2patch.audio.channels import to_mono
from wav2patch.matching.evaluator import Measure
from wav2patch.matching.result import Influence
from wav2patch.metrics.objective import Objective
from wav2patch.parameters import Categorical, Continuous, Parameter, ParameterSpace, Patch
from wav2patch.rendering.base import Failure, Renderer, Sound
from wav2patch.synths.base import Audio

_STEP = 0.15


def explain(
    space: ParameterSpace,
    patch: Patch,
    audio: Audio,
    renderer: Renderer,
    sound: Sound,
    *,
    count: int = 12,
    most: int | None = None,
    noise_floor: float = 0.0,
) -> list[Influence]:
    """The `count` parameters whose change moves the sound most, the strongest first.

    Every parameter that can be heard is moved by 15% of its range in both directions, a categorical one to its two
    next choices; two renders a parameter.

    Args:
        space: The parameters.
        patch: ``(P,)``.
        audio: Its render ``(channels, samples)``, from which changes are measured.
        renderer: Makes the renders.
        sound: What is played.
        count: Most influences to return.
        most: Most renders to make; where they do not suffice, every parameter is tried once before any is twice.
        noise_floor: Changes of no more than this are chance and are left out.
    """
    measure = Measure(Objective(to_mono(audio), sound.sample_rate))
    heard = np.flatnonzero(space.active(patch)).tolist()
    tries = _in_turns([[(i, value) for value in _others(space.parameters[i], patch[i])] for i in heard])[:most]
    results = renderer.map([_with(patch, i, v) for i, v in tries], sound, measure)
    changes: dict[int, list[tuple[float, float]]] = {}
    for (i, value), result in zip(tries, results, strict=True):
        if not isinstance(result, Failure):
            changes.setdefault(i, []).append((value, result))
    influences = [_influence(space.parameters[i], patch[i], tried) for i, tried in changes.items()]
    strongest = sorted(influences, key=lambda influence: -influence.change)[:count]
    return [influence for influence in strongest if influence.change > noise_floor]


def _in_turns(tries: Sequence[Sequence[tuple[int, float]]]) -> list[tuple[int, float]]:
    """The first of every parameter's tries, then the second ones."""
    return [tried for turn in zip_longest(*tries) for tried in turn if tried is not None]


def _others(parameter: Parameter, value: float) -> Iterator[float]:
    if isinstance(parameter, Categorical):
        others = [i for i in range(len(parameter.choices)) if i != value]
        yield from (float(i) for i in sorted(others, key=lambda i: (i - value) % len(parameter.choices))[:2])
        return
    step = _STEP * (parameter.high - parameter.low)
    for moved in (value - step, value + step):
        kept = float(np.clip(moved, parameter.low, parameter.high))
        kept = kept if isinstance(parameter, Continuous) else float(np.rint(kept))
        if kept != value:
            yield kept


def _with(patch: Patch, i: int, value: float) -> Patch:
    changed = patch.copy()
    changed[i] = value
    return changed


def _influence(parameter: Parameter, value: float, tried: list[tuple[float, float]]) -> Influence:
    return Influence(
        parameter=parameter.name,
        label=parameter.label or parameter.name,
        value=parameter.text(value),
        tried=tuple(parameter.text(other) for other, _ in tried),
        change=max(change for _, change in tried),
    )
