from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from wav2patch.audio.target import Target
from wav2patch.matching.budget import Budget
from wav2patch.matching.evaluator import Evaluator, Progress
from wav2patch.metrics.objective import Objective
from wav2patch.parameters import Patch
from wav2patch.priors import draw
from wav2patch.rendering.base import Failure, Sound
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.synths.base import Audio, Synth


class CountingRenderer(InlineRenderer):
    rendered = 0

    def map(self, patches: Sequence[Patch], sound: Sound, then: Callable[[Audio], Any]) -> list[Any]:
        self.rendered += len(patches)
        return super().map(patches, sound, then)


def make(synth: Synth, target: Target, budget: Budget, report: Callable[[Progress], None] | None = None) -> Evaluator:
    sound = Sound(target.note, target.length, target.sample_rate)
    objective = Objective(target.mono, target.sample_rate)
    return Evaluator(synth.space, CountingRenderer(synth), sound, objective, budget, report)


def test_distances_are_those_of_the_objective(dexed: Synth, simple_target: Target) -> None:
    evaluator = make(dexed, simple_target, Budget(renders=20))
    patches = [draw(dexed.prior(), 1, i) for i in range(5)]
    objective = Objective(simple_target.mono, 44100)
    for patch, distance in zip(patches, evaluator(patches, "prior"), strict=True):
        audio = dexed.render(patch, simple_target.note, length=simple_target.length, sample_rate=44100)
        assert distance == float(objective(audio[0]))
    ranking = evaluator.ranking()
    assert [scored.distance for scored in ranking] == sorted(scored.distance for scored in ranking)
    assert evaluator.best is not None
    assert evaluator.best.distance == ranking[0].distance
    assert ranking[0].origin == "prior"


def test_the_budget_cuts_a_batch_short(dexed: Synth, simple_target: Target) -> None:
    evaluator = make(dexed, simple_target, Budget(renders=3))
    distances = evaluator([draw(dexed.prior(), 1, i) for i in range(5)], "prior")
    assert len(distances) == 3
    assert evaluator.budget.exhausted
    assert len(evaluator([dexed.space.default], "prior")) == 0


def test_patches_that_sound_alike_are_rendered_once(dexed: Synth, simple_target: Target) -> None:
    evaluator = make(dexed, simple_target, Budget(renders=10))
    patch = dexed.space.default.copy()
    same = patch.copy()
    same[dexed.space.index("op6_coarse")] = 17  # operator 6 is turned down
    distances = evaluator([patch, same, patch], "prior")
    assert evaluator._renderer.rendered == evaluator.budget.spent_renders == 1  # type: ignore[attr-defined]
    assert len(set(distances)) == 1


def test_a_failed_render_is_infinitely_far_and_never_the_best(dexed: Synth, simple_target: Target) -> None:
    evaluator = make(dexed, simple_target, Budget(renders=10))
    broken = dexed.space.default.copy()
    broken[0] = 1000.0
    distances = evaluator([broken, dexed.space.default], "prior")
    assert np.isinf(distances[0])
    assert np.isfinite(distances[1])
    assert isinstance(evaluator.failures[0], Failure)
    assert len(evaluator.ranking()) == 1


def test_progress_and_improvements_are_reported(dexed: Synth, simple_target: Target) -> None:
    seen: list[Progress] = []
    evaluator = make(dexed, simple_target, Budget(renders=40), seen.append)
    for i in range(4):
        evaluator([draw(dexed.prior(), 2, 10 * i + j) for j in range(10)], "prior")
    assert [progress.renders for progress in seen] == [10, 20, 30, 40]
    assert [progress.best for progress in seen] == sorted((progress.best for progress in seen), reverse=True)
    falls = [improvement.distance for improvement in evaluator.improvements]
    assert falls == sorted(falls, reverse=True)
    assert falls[-1] == pytest.approx(seen[-1].best)


def test_improvements_count_the_render_that_brought_them(dexed: Synth, simple_target: Target) -> None:
    patches = [draw(dexed.prior(), 2, i) for i in range(30)]
    together = make(dexed, simple_target, Budget(renders=30))
    together(patches, "prior")
    alone = make(dexed, simple_target, Budget(renders=30))
    for patch in patches:
        alone([patch], "prior")
    assert [(i.renders, i.distance) for i in together.improvements] == [
        (i.renders, i.distance) for i in alone.improvements
    ]
