"""Sound in, patches out: the main job from beginning to end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np

from wav2patch.audio.channels import to_mono
from wav2patch.audio.target import Target, listen
from wav2patch.errors import UserError
from wav2patch.matching.budget import Budget
from wav2patch.matching.evaluator import Evaluator, Progress, Scored
from wav2patch.matching.explain import explain
from wav2patch.matching.finalists import Finalist, Jury, renders_wanted
from wav2patch.matching.learned import LearnedProposer, shipped_proposers
from wav2patch.matching.proposers import PresetProposer, PriorProposer, Proposer
from wav2patch.matching.result import Candidate, Match
from wav2patch.matching.search import SearchSettings, search
from wav2patch.metrics.objective import Objective
from wav2patch.metrics.panel import evaluate
from wav2patch.priors import Prior
from wav2patch.rendering.base import Renderer, Sound
from wav2patch.rendering.choose import make_renderer
from wav2patch.synths.base import Audio, Synth
from wav2patch.synths.catalogue import load_synth
from wav2patch.synths.collections import read_collection

DEFAULT_SECONDS = 60.0
MOST_CANDIDATES = 32
_TAIL = 0.25
_SECONDS_AFTER_STOP = 5.0
_MANY = 1_000_000
_VERSIONS = ("wav2patch", "numpy", "scipy", "soxr", "soundfile", "swift-f0", "onnxruntime")


def match(
    sound: Path | str | Target,
    synth: Synth | str = "dexed",
    *,
    candidates: int = 3,
    seconds: float | None = None,
    renders: int | None = None,
    note: str | int = "auto",
    velocity: int = 100,
    hold: float | None = None,
    presets: Path | str | Sequence[Path | str] = (),
    prior: Prior | None = None,
    proposers: Sequence[Proposer | Path | str] | None = None,
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
        candidates: How many different patches to return, 1–32.
        seconds: Budget in seconds; 60 if there is no budget at all.
        renders: Budget in renders.
        note: ``"auto"``, a MIDI number or a name such as ``"C4"``; a target's own note wins over it.
        velocity: 1–127, how hard the key is struck.
        hold: Seconds that the key is held; found from the recording by default.
        presets: Preset files, or folders of them, whose patches are tried first, up to half of the budget.
        prior: Where patches are drawn from; the synth's own by default.
        proposers: What else proposes patches: trained models, by folder or name, or proposers of your own. By default
            the model that comes with the package for this synth, if there is one.
        seed: Seed of every draw, 0 or more.
        workers: Renders side by side; one a core by default.
        settings: How the search spends its budget.
        report: Called with the progress after every batch of renders.

    Raises:
        UserError: The sound cannot be matched, an option is out of range, or no render succeeded.
    """
    _check(candidates, seconds, renders, seed, workers)
    synth = load_synth(synth) if isinstance(synth, str) else synth
    if reason := synth.missing():
        raise UserError(reason)
    target = sound if isinstance(sound, Target) else listen(Path(sound), note=str(note), velocity=velocity, hold=hold)
    prior = prior or synth.prior()
    asked = _proposers(synth, prior, presets, proposers)
    renderer = make_renderer(synth, workers)
    budget = Budget(
        renders,
        DEFAULT_SECONDS if renders is None and seconds is None else seconds,
        afterwards=renders_wanted(synth) + len(synth.space),
    )
    try:
        job = _Job(target, synth, renderer, budget, report)
        stopped, found = job.search(asked, prior, seed, settings)
        return job.finish(found, candidates, seed, stopped, _models(asked))
    finally:
        renderer.close()


def with_tail(target: Target) -> Audio:
    """The target's mono audio, and a quarter of a second of silence where the sound ended by itself.

    Without it a candidate might ring on past the end, where nothing would be compared.
    """
    if target.cut_off:
        return target.mono
    return np.pad(target.mono, (0, round(_TAIL * target.sample_rate)))


class _Job:
    """One match under way: the target as the search sees it, and what was found so far."""

    def __init__(
        self,
        target: Target,
        synth: Synth,
        renderer: Renderer,
        budget: Budget,
        report: Callable[[Progress], None] | None,
    ) -> None:
        self.target, self.synth, self.renderer, self.budget = target, synth, renderer, budget
        self.audio = with_tail(target)
        self.sound = Sound(target.note, len(self.audio) / target.sample_rate, target.sample_rate)
        self.objective = Objective(self.audio, target.sample_rate, target.bandwidth)
        self.evaluator = Evaluator(synth.space, renderer, self.sound, self.objective, budget, report)

    def search(
        self, proposers: Sequence[Proposer], prior: Prior, seed: int, settings: SearchSettings | None
    ) -> tuple[bool, list[Scored]]:
        """Whether the person stopped the search, and where its climbs ended."""
        generator = np.random.default_rng([seed])
        try:
            return False, search(self.target, self.evaluator, proposers, prior, generator, settings)
        except KeyboardInterrupt:
            if self.evaluator.best is None:
                raise
            return True, []

    def finish(self, found: Sequence[Scored], count: int, seed: int, stopped: bool, models: Mapping[str, str]) -> Match:
        """Choose candidates, measure them, and find out what matters in the best."""
        spent = self.budget.spent_renders, self.budget.spent_seconds
        jury = Jury(self.target, self.synth, self.renderer, self.sound, self.objective)
        affordable = self.budget.affords(_MANY, most_seconds=_SECONDS_AFTER_STOP if stopped else np.inf)
        chosen = jury.choose(self._found(found), count, affordable // 2)
        shown = [self._candidate(i, finalist) for i, finalist in enumerate(chosen, start=1)]
        influences = explain(
            self.synth.space,
            shown[0].patch,
            shown[0].audio,
            self.renderer,
            self.sound,
            most=affordable // 2,
            noise_floor=self.synth.noise_floor,
        )
        return Match(
            target=self.target,
            synth=self.synth,
            sound=self.sound,
            candidates=tuple(shown),
            influences=tuple(influences),
            improvements=tuple(self.evaluator.improvements),
            renders=spent[0],
            rendered=dict(self.evaluator.rendered),
            seconds=spent[1],
            limit_renders=self.budget.renders,
            limit_seconds=self.budget.seconds,
            failures=len(self.evaluator.failures),
            skipped=len(self.renderer.skipped),
            seed=seed,
            stopped=stopped,
            versions={**_versions(), **self.synth.versions()},
            models=models,
        )

    def _found(self, found: Sequence[Scored]) -> list[Scored]:
        everything = [*self.evaluator.ranking(), *found]
        if not everything:
            reason = self.evaluator.failures[0].reason if self.evaluator.failures else "nothing was rendered"
            raise UserError(f"no patch of {self.synth.title} could be rendered: {reason}.")
        return everything

    def _candidate(self, number: int, finalist: Finalist) -> Candidate:
        parts = self.objective.parts(to_mono(finalist.render.audio))
        panel = evaluate(
            self.audio[None],
            finalist.render.audio,
            self.sound.sample_rate,
            target_f0=self.target.frequency,
            prediction_f0=finalist.render.frequency,
        )
        return Candidate(
            name=f"candidate_{number}",
            patch=finalist.scored.patch,
            audio=finalist.render.audio,
            origin=finalist.scored.origin,
            distance=finalist.distance,
            parts={part: float(getattr(parts, part)) for part in ("spectrum", "magnitude", "envelope")},
            panel=panel,
            frequency=finalist.render.frequency,
        )


def _check(candidates: int, seconds: float | None, renders: int | None, seed: int, workers: int | None) -> None:
    if not 1 <= candidates <= MOST_CANDIDATES:
        raise UserError(f"ask for 1 to {MOST_CANDIDATES} candidates, not {candidates}.")
    if renders is not None and renders < 1:
        raise UserError(f"the budget is at least 1 render, not {renders}.")
    if seconds is not None and not seconds > 0:
        raise UserError(f"the budget is more than 0 s, not {seconds:g} s.")
    if seed < 0:
        raise UserError(f"a seed is 0 or more, not {seed}.")
    if workers is not None and workers < 1:
        raise UserError(f"there is at least 1 worker, not {workers}.")


def _proposers(
    synth: Synth,
    prior: Prior,
    presets: Path | str | Sequence[Path | str],
    others: Sequence[Proposer | Path | str] | None,
) -> list[Proposer]:
    folders = [presets] if isinstance(presets, Path | str) else presets
    own = [PresetProposer(list(read_collection(synth, *map(Path, folders)).patches))] if folders else []
    return [*_learned(synth, others), *own, PriorProposer(prior)]


def _learned(synth: Synth, wanted: Sequence[Proposer | Path | str] | None) -> list[Proposer]:
    """The proposers that are wanted, in order; by default the models that come with the package."""
    if wanted is None:
        return list(shipped_proposers(synth))
    found = [LearnedProposer(one, synth) if isinstance(one, Path | str) else one for one in wanted]
    if len({one.name for one in found}) < len(found):
        raise UserError("two proposers have the same name: give each model's folder a name of its own.")
    return found


def _models(proposers: Sequence[Proposer]) -> Mapping[str, str]:
    return {one.name: one.digest for one in proposers if isinstance(one, LearnedProposer)}


def _versions() -> Mapping[str, str]:
    return {name: metadata.version(name) for name in _VERSIONS}
