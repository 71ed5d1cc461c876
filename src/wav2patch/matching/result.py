"""What a match is: the target, the candidates in order, and what was spent to find them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wav2patch.audio.target import Target
from wav2patch.matching.evaluator import Improvement
from wav2patch.parameters import Patch
from wav2patch.rendering.base import Sound
from wav2patch.synths.base import Audio, Synth


@dataclass(frozen=True, eq=False)
class Candidate:
    """A patch that was found, with its render and how close it comes.

    Attributes:
        name: Base name of its files.
        patch: ``(P,)``, in the synth's own units.
        audio: Its render, float32 ``(channels, samples)``, as long as the target.
        origin: What its search set out from: ``"prior"``, ``"presets"``, a model's name.
        distance: The search objective in decibels; candidates are ordered by it, those of a wrong pitch put back.
        parts: The objective's parts in decibels: spectrum, magnitude, envelope.
        panel: The metrics of `wav2patch compare` by name; None where one does not apply.
        frequency: Fundamental of the render in Hz, None where it has no pitch.
    """

    name: str
    patch: Patch
    audio: Audio
    origin: str
    distance: float
    parts: Mapping[str, float]
    panel: Mapping[str, float | None]
    frequency: float | None


@dataclass(frozen=True)
class Influence:
    """How much one parameter of the best candidate matters, found by changing it and rendering.

    Attributes:
        parameter: Name of the parameter.
        label: Its name for people.
        value: Its value, as the synth's panel shows it.
        tried: The other values that were rendered, likewise.
        change: Decibels by which the sound moves, at most, when it takes one of them.
    """

    parameter: str
    label: str
    value: str
    tried: tuple[str, ...]
    change: float


@dataclass(frozen=True, eq=False)
class Match:
    """The outcome of matching one sound on one synth.

    Attributes:
        target: What was to be matched.
        synth: What it was matched on.
        sound: What every candidate played: note, length, sample rate.
        candidates: The best first; they differ from each other.
        influences: The best candidate's parameters that matter, the most important first.
        improvements: Every fall of the best distance.
        renders: Renders that the search spent.
        rendered: The same by origin: how many presets, draws and steps of the search.
        seconds: Seconds that the search took.
        limit_renders: The budget's limit in renders, if any.
        limit_seconds: The budget's limit in seconds, if any.
        failures: Renders that failed.
        skipped: Patches that were given up, as each crashed or hung the engine twice.
        seed: Seed of every draw.
        stopped: Whether the person stopped the search before its budget was spent.
        versions: Versions of wav2patch, the engine and the libraries that figures depend on.
        models: Trained models that proposed, by the name that `rendered` and a candidate's `origin` give them, each
            with a digest of its files.
    """

    target: Target
    synth: Synth
    sound: Sound
    candidates: tuple[Candidate, ...]
    influences: tuple[Influence, ...]
    improvements: tuple[Improvement, ...]
    renders: int
    rendered: Mapping[str, int]
    seconds: float
    limit_renders: int | None
    limit_seconds: float | None
    failures: int
    skipped: int
    seed: int
    stopped: bool
    versions: Mapping[str, str]
    models: Mapping[str, str] = field(default_factory=dict)

    @property
    def best(self) -> Candidate:
        """The first candidate: the closest of those whose pitch is right, if any is."""
        return self.candidates[0]
