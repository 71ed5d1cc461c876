"""Small real matches for the tests of the report: a Dexed patch as the target, changed copies as candidates."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wav2patch import priors
from wav2patch.audio.target import Target
from wav2patch.matching.evaluator import Improvement
from wav2patch.matching.result import Candidate, Influence, Match
from wav2patch.metrics.objective import Objective
from wav2patch.metrics.panel import evaluate
from wav2patch.notes import Note
from wav2patch.rendering.base import Sound
from wav2patch.synths.dexed import Dexed

RATE, LENGTH = 44100, 0.6
NOTE = Note(60, 100, 0.0, 0.4)


def make_match(
    *, candidates: int = 3, source: str = "sounds/bell.wav", channels: int = 1, frequency: float | None = 261.6
) -> Match:
    """A match whose candidates leave the target further and further."""
    synth = Dexed()
    patch = priors.draw(synth.prior(), 1, 4)
    audio = synth.render(patch, NOTE, length=LENGTH, sample_rate=RATE)
    target = make_target(np.repeat(audio, channels, axis=0), source, frequency)
    objective = Objective(target.mono, RATE)
    changed = [make_candidate(i, _changed(patch, i), objective, target) for i in range(1, candidates + 1)]
    return Match(
        target=target,
        synth=synth,
        sound=Sound(NOTE, LENGTH, RATE),
        candidates=tuple(changed),
        influences=(
            Influence("algorithm", "Algorithm", "5", ("1", "32"), 9.5),
            Influence("op1_output_level", "Operator 1 output level", "99", ("84",), 4.2),
        ),
        improvements=(Improvement(64, 0.1, 14.2), Improvement(640, 1.5, 6.1), Improvement(2100, 9.0, 2.3)),
        renders=3000,
        rendered={"prior": 320, "search": 2680},
        seconds=12.5,
        limit_renders=3000,
        limit_seconds=None,
        failures=0,
        skipped=0,
        seed=7,
        stopped=False,
        versions={"wav2patch": "0.1.0", "dexed-py": "0.3"},
    )


def make_target(audio: NDArray[np.float32], source: str, frequency: float | None) -> Target:
    """A target of `audio` ``(channels, samples)`` with one remark."""
    return Target(
        audio=audio,
        sample_rate=RATE,
        note=NOTE,
        frequency=frequency,
        pitch_confidence=0.93 if frequency else 0.0,
        tuning=0.0,
        loudness=-14.0,
        gain=0.0,
        bandwidth=22050.0,
        source=source,
        start=0.25,
        end=0.85,
        cut_off=False,
        remarks=("skipped 0.25 s before the note",),
    )


def make_candidate(number: int, patch: NDArray[np.float64], objective: Objective, target: Target) -> Candidate:
    """A candidate of `patch`, with true distances and a made-up pitch a little above the target's."""
    audio = Dexed().render(patch, NOTE, length=LENGTH, sample_rate=RATE)
    parts = objective.parts(audio.mean(axis=0))
    pitch = target.frequency * 1.01 if target.frequency else None
    return Candidate(
        name=f"candidate_{number}",
        patch=patch,
        audio=audio,
        origin="prior",
        distance=float(parts.total),
        parts={name: float(getattr(parts, name)) for name in ("spectrum", "magnitude", "envelope")},
        panel=evaluate(target.audio, audio, RATE, target_f0=target.frequency, prediction_f0=pitch),
        frequency=pitch,
    )


def names(match: Match) -> Sequence[str]:
    """The preset files of a match."""
    return [f"{candidate.name}.syx" for candidate in match.candidates]


def _changed(patch: NDArray[np.float64], amount: int) -> NDArray[np.float64]:
    space = Dexed().space
    steps = np.random.default_rng([3, amount]).integers(-2 * amount, 2 * amount + 1, len(space))
    kept = np.isin(np.arange(len(space)), space.indices(["algorithm", "transpose"]))
    return space.snap(patch + np.where(kept | space.is_categorical, 0, steps))
