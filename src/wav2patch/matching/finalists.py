"""The last round: the closest patches are rendered again, their pitch is heard, and those to show are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wav2patch.audio.channels import to_mono
from wav2patch.audio.pitch import find_pitch
from wav2patch.audio.target import Target
from wav2patch.errors import UserError
from wav2patch.matching.candidates import pitch_penalty, select
from wav2patch.matching.evaluator import Measure, Scored
from wav2patch.metrics.objective import Objective
from wav2patch.rendering.base import Failure, Renderer, Sound
from wav2patch.synths.base import Audio, Synth

_FINALISTS = 48
_RENDERS_OF_A_NOISY_PATCH = 4


@dataclass(frozen=True, eq=False)
class Render:
    """A render with its distance to the target and its fundamental in Hz."""

    audio: Audio
    distance: float
    frequency: float | None


@dataclass(frozen=True, eq=False)
class Finalist:
    """What the search found, one of its renders, and the mean distance of all of them."""

    scored: Scored
    render: Render
    distance: float


@dataclass(frozen=True)
class _Hear:
    """Audio ``(channels, samples)`` to a render that is measured."""

    objective: Objective
    sample_rate: int

    def __call__(self, audio: Audio) -> Render:
        distance = Measure(self.objective)(audio)
        return Render(audio, distance, find_pitch(to_mono(audio), self.sample_rate).frequency)


class Jury:
    """Chooses among what a search found.

    Args:
        target: What was to be matched.
        synth: Whose patches they are.
        renderer: Makes the renders.
        sound: What is played.
        objective: Measures a render, mixed down, against the target.
    """

    def __init__(self, target: Target, synth: Synth, renderer: Renderer, sound: Sound, objective: Objective) -> None:
        self.target, self.synth, self.renderer = target, synth, renderer
        self.sound, self.objective = sound, objective

    def choose(self, found: Sequence[Scored], count: int, most: int) -> list[Finalist]:
        """Those to show, in order, out of as many finalists as `most` renders pay for, or as `count` needs.

        An octave off is what people hear first. The pitch is heard before anything is left out for being much like
        another: the copy that is an octave off must not take the place of the one that is right.
        """
        closest = _distinct(found)
        heard = int(np.clip(most // _renders_each(self.synth), count, _FINALISTS))
        different = select(self.synth.space, closest, min(2 * count, heard))
        finalists = self._hear(list({id(s): s for s in (*closest[:heard], *different)}.values()))
        ordered = sorted(finalists, key=self._rank)
        kept = select(self.synth.space, [finalist.scored for finalist in ordered], count)
        return [finalist for finalist in ordered if any(finalist.scored is scored for scored in kept)]

    def _hear(self, found: Sequence[Scored]) -> list[Finalist]:
        """Render what was found again; a synth with a noise floor several times, as the search keeps lucky renders."""
        times = _renders_each(self.synth)
        then = _Hear(self.objective, self.target.sample_rate)
        results = self.renderer.map([scored.patch for scored in found for _ in range(times)], self.sound, then)
        finalists = []
        for i, scored in enumerate(found):
            renders = [r for r in results[i * times : (i + 1) * times] if not isinstance(r, Failure)]
            if renders:
                distance = float(np.mean([render.distance for render in renders]))
                middle = min(renders, key=lambda render: abs(render.distance - distance))
                finalists.append(Finalist(scored, middle, distance))
        if not finalists:
            raise UserError(f"{self.synth.title} renders nothing any more: the plug-in fails on what it played before.")
        return finalists

    def _rank(self, finalist: Finalist) -> float:
        return finalist.distance + pitch_penalty(self.target.frequency, finalist.render.frequency)


def renders_wanted(synth: Synth) -> int:
    """Renders that the last round takes where there is time for all of it."""
    return _FINALISTS * _renders_each(synth)


def _renders_each(synth: Synth) -> int:
    return _RENDERS_OF_A_NOISY_PATCH if synth.noise_floor > 0 else 1


def _distinct(found: Sequence[Scored]) -> list[Scored]:
    """Each patch once, closest first; of two records of a patch the later one, which knows where it began."""
    unique = {scored.patch.tobytes(): scored for scored in found}
    return sorted(unique.values(), key=lambda scored: scored.distance)
