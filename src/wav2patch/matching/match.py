"""Sound in, patches out: the main job from beginning to end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np

from wav2patch.audio.pitch import find_pitch
from wav2patch.audio.target import Target, listen
from wav2patch.errors import UserError
from wav2patch.matching.budget import Budget
from wav2patch.matching.candidates import pitch_is_right, select
from wav2patch.matching.evaluator import Evaluator, Progress, Scored
from wav2patch.matching.explain import explain
from wav2patch.matching.proposers import PresetProposer, PriorProposer, Proposer, read_preset_folder
from wav2patch.matching.result import Candidate, Match
from wav2patch.matching.search import SearchSettings, search
from wav2patch.metrics.objective import Objective
from wav2patch.metrics.panel import evaluate
from wav2patch.priors import Prior
from wav2patch.rendering.base import Renderer, Sound
from wav2patch.rendering.choose import make_renderer
from wav2patch.synths.base import Audio, Synth
from wav2patch.synths.catalogue import load_synth

DEFAULT_SECONDS = 60.0
WRONG_PITCH = 2.0
"""Decibels by which a candidate whose pitch is off by more than a quarter tone is put back."""

_TAIL = 0.25
_VERSIONS = ("wav2patch", "dexed-py", "numpy", "scipy")


def match(
    sound: Path | str | Target,
    synth: Synth | str = "dexed",
    *,
    candidates: int = 3,
    seconds: float | None = None,
    renders: int | None = None,
    note: str = "auto",
    velocity: int = 100,
    hold: float | None = None,
    presets: Sequence[Path] = (),
    prior: Prior | None = None,
    seed: int = 0,
    workers: int | None = None,
    settings: SearchSettings | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Match:
    """Find patches of a synth that sound like a recording of one note.

    With a budget of renders alone, the same sound, options and seed give the same match, whatever the number of
    workers. Ctrl-C ends the search and keeps what it found.

    Args:
        sound: An audio file, or a target that was made of one.
        synth: A synth, or the name of one.
        candidates: How many different patches to return.
        seconds: Budget in seconds; 60 if there is no budget at all.
        renders: Budget in renders.
        note: ``"auto"``, a MIDI number or a name such as ``"C4"``; the target's own note wins over it.
        velocity: 1–127, how hard the key is struck.
        hold: Seconds that the key is held; found from the recording by default.
        presets: Preset files, or folders of them, whose patches are tried first.
        prior: Where patches are drawn from; the synth's own by default.
        seed: Seed of every draw.
        workers: Renders side by side; one a core by default.
        settings: How the search spends its budget.
        report: Called with the progress after every batch of renders.

    Raises:
        UserError: The sound cannot be matched, an option is out of range, or no render succeeded.
    """
    if candidates < 1:
        raise UserError(f"ask for at least 1 candidate, not {candidates}.")
    synth = load_synth(synth) if isinstance(synth, str) else synth
    target = sound if isinstance(sound, Target) else listen(Path(sound), note=note, velocity=velocity, hold=hold)
    prior = prior or synth.prior()
    proposers = _proposers(synth, prior, presets)
    renderer = make_renderer(synth, workers)
    try:
        return _match(
            target, synth, renderer, proposers, prior, _budget(renders, seconds), candidates, seed, settings, report
        )
    finally:
        renderer.close()


def _match(
    target: Target,
    synth: Synth,
    renderer: Renderer,
    proposers: Sequence[Proposer],
    prior: Prior,
    budget: Budget,
    count: int,
    seed: int,
    settings: SearchSettings | None,
    report: Callable[[Progress], None] | None,
) -> Match:
    audio = with_tail(target)
    sound = Sound(target.note, len(audio) / target.sample_rate, target.sample_rate)
    objective = Objective(audio, target.sample_rate, target.bandwidth)
    evaluator = Evaluator(synth.space, renderer, sound, objective, budget, report)
    stopped, found = False, []
    try:
        found = search(target, evaluator, proposers, prior, np.random.default_rng([seed]), settings)
    except KeyboardInterrupt:
        stopped = True
    spent = budget.spent_renders, budget.spent_seconds
    chosen = _choose(target, synth, sound, [*evaluator.ranking(), *found], count)
    shown = [_candidate(f"candidate_{i}", s, target, synth, sound, objective) for i, s in enumerate(chosen, start=1)]
    return Match(
        target=target,
        synth=synth,
        sound=sound,
        candidates=tuple(shown),
        influences=tuple(explain(synth.space, shown[0].patch, shown[0].audio, renderer, sound)),
        improvements=tuple(evaluator.improvements),
        renders=spent[0],
        seconds=spent[1],
        limit_renders=budget.renders,
        limit_seconds=budget.seconds,
        failures=len(evaluator.failures),
        seed=seed,
        stopped=stopped,
        versions=_versions(),
    )


def with_tail(target: Target) -> Audio:
    """The target's mono audio, and a quarter of a second of silence where the sound ended by itself.

    Without it a candidate might ring on past the end, where nothing would be compared.
    """
    if target.cut_off:
        return target.mono
    return np.pad(target.mono, (0, round(_TAIL * target.sample_rate)))


def _budget(renders: int | None, seconds: float | None) -> Budget:
    if renders is not None and renders < 1:
        raise UserError(f"the budget is at least 1 render, not {renders}.")
    if seconds is not None and not seconds > 0:
        raise UserError(f"the budget is more than 0 s, not {seconds:g} s.")
    return Budget(renders, DEFAULT_SECONDS if renders is None and seconds is None else seconds)


def _proposers(synth: Synth, prior: Prior, presets: Sequence[Path]) -> list[Proposer]:
    own = [patch for folder in presets for patch in read_preset_folder(synth, folder)]
    drawn = PriorProposer(prior)
    return [PresetProposer(own), drawn] if own else [drawn]


def _choose(target: Target, synth: Synth, sound: Sound, found: Sequence[Scored], count: int) -> list[Scored]:
    """Candidates to show, by distance, to which a wrong pitch adds: an octave off is what people hear first."""
    if not found:
        raise UserError(f"no patch of {synth.title} could be rendered: nothing was found.")
    unique = {scored.patch.tobytes(): scored for scored in sorted(found, key=lambda s: -s.distance)}
    ordered = sorted(unique.values(), key=lambda scored: scored.distance)
    picked = select(synth.space, ordered, max(2 * count, count + 4))

    def rank(scored: Scored) -> float:
        right = pitch_is_right(target.frequency, _frequency(_render(synth, scored, sound), sound))
        return scored.distance + (0.0 if right else WRONG_PITCH)

    return sorted(picked, key=rank)[:count]


def _candidate(
    name: str, scored: Scored, target: Target, synth: Synth, sound: Sound, objective: Objective
) -> Candidate:
    audio = _render(synth, scored, sound)
    parts = objective.parts(audio.mean(axis=0))
    frequency = _frequency(audio, sound)
    panel = evaluate(
        with_tail(target)[None], audio, sound.sample_rate, target_f0=target.frequency, prediction_f0=frequency
    )
    return Candidate(
        name=name,
        patch=scored.patch,
        audio=audio,
        origin=scored.origin,
        distance=float(parts.total),
        parts={part: float(getattr(parts, part)) for part in ("spectrum", "magnitude", "envelope")},
        panel=panel,
        frequency=frequency,
    )


def _render(synth: Synth, scored: Scored, sound: Sound) -> Audio:
    return synth.render(scored.patch, sound.note, length=sound.length, sample_rate=sound.sample_rate)


def _frequency(audio: Audio, sound: Sound) -> float | None:
    return find_pitch(audio.mean(axis=0), sound.sample_rate).frequency


def _versions() -> Mapping[str, str]:
    return {name: metadata.version(name) for name in _VERSIONS}
