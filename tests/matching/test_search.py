import numpy as np
import pytest
from numpy.testing import assert_array_equal

from wav2patch.audio.target import Target
from wav2patch.matching.budget import Budget
from wav2patch.matching.candidates import difference, pitch_error, pitch_is_right, select
from wav2patch.matching.climber import Climber
from wav2patch.matching.evaluator import Evaluator, Scored
from wav2patch.matching.moves import Moves
from wav2patch.matching.proposers import PresetProposer, PriorProposer, Proposer
from wav2patch.matching.search import retrieve, search
from wav2patch.metrics.objective import Objective
from wav2patch.parameters import Categorical, Continuous, Discrete, ParameterSpace
from wav2patch.priors import UniformPrior, draw
from wav2patch.rendering.base import Sound
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.synths.base import Synth


def evaluator_for(synth: Synth, target: Target, renders: int) -> Evaluator:
    sound = Sound(target.note, target.length, target.sample_rate)
    objective = Objective(target.mono, target.sample_rate)
    return Evaluator(synth.space, InlineRenderer(synth), sound, objective, Budget(renders=renders))


PLAIN = ParameterSpace(
    (Continuous("a", -1, 1), Discrete("b", 0, 99), Categorical("c", ("x", "y", "z")), Discrete("d", 0, 3))
)


@pytest.mark.parametrize("case", ["dexed", "plain"])
def test_moves_keep_patches_valid_and_leave_their_arguments_alone(dexed: Synth, case: str) -> None:
    space, prior = (dexed.space, dexed.prior()) if case == "dexed" else (PLAIN, UniformPrior(PLAIN))
    moves, generator = Moves(space, prior), np.random.default_rng([4])
    pool = [draw(prior, 6, i) for i in range(6)]
    copies = [patch.copy() for patch in pool]
    changed = np.stack([moves(generator, pool[i % 6], pool) for i in range(300)])
    space.validate(changed)
    assert_array_equal(np.stack(pool), np.stack(copies))
    assert np.mean([(c != pool[i % 6]).any() for i, c in enumerate(changed)]) > 0.6
    assert len(np.unique(np.flatnonzero((changed != np.stack(pool)[np.arange(300) % 6]).any(axis=0)))) > 0.5 * len(
        space
    )


@pytest.mark.parametrize("case", ["dexed", "plain"])
def test_climbers_propose_valid_changes_of_what_can_be_heard(dexed: Synth, case: str) -> None:
    space, prior = (dexed.space, dexed.prior()) if case == "dexed" else (PLAIN, UniformPrior(PLAIN))
    start = draw(prior, 3, 1)
    climber = Climber(Scored(1.0, start, "prior"), space, Moves(space, prior))
    proposed = climber.propose(np.random.default_rng([5]), 50, [start], large_share=0.0)
    assert len(proposed) == 50
    space.validate(np.stack(proposed))
    for patch in proposed:
        assert 1 <= (patch != start).sum() <= 3
        assert space.active(start)[patch != start].all()


def test_a_climber_takes_the_best_and_combines_the_rest() -> None:
    start = np.array([0.0, 50.0, 0.0, 1.0])
    climber = Climber(Scored(10.0, start, "prior"), PLAIN, Moves(PLAIN, UniformPrior(PLAIN)))
    climber.propose(np.random.default_rng([1]), 3, [start], 0.0)
    better, best, worse = start.copy(), start.copy(), start.copy()
    better[1], best[3], worse[2] = 60.0, 2.0, 1.0
    climber.learn([better, best, worse], np.array([8.0, 7.0, 12.0]))
    assert climber.best.distance == 7.0
    assert_array_equal(climber.best.patch, best)
    (combined, *_) = climber.propose(np.random.default_rng([1]), 4, [start], 0.0)
    assert_array_equal(combined, [0.0, 60.0, 0.0, 2.0])


def test_a_climber_never_gets_worse() -> None:
    space = PLAIN
    goal = np.array([0.3, 71.0, 2.0, 0.0])
    climber = Climber(Scored(99.0, space.default, "prior"), space, Moves(space, UniformPrior(space)))
    generator, last = np.random.default_rng([8]), 99.0
    for _ in range(80):
        proposed = climber.propose(generator, 8, [climber.best.patch], 0.2)
        distances = np.abs((np.stack(proposed) - goal) / (space.high - space.low)).sum(axis=1)
        climber.learn(proposed, distances)
        assert climber.best.distance <= last
        last = climber.best.distance
    assert last < 0.02


def test_proposers_take_turns_and_presets_come_once(dexed: Synth, simple_target: Target) -> None:
    own = [draw(dexed.prior(), 77, i) for i in range(10)]
    proposers: list[Proposer] = [PresetProposer(own), PriorProposer(dexed.prior(), share=1.0)]
    evaluator = evaluator_for(dexed, simple_target, 150)
    retrieve(simple_target, evaluator, proposers, np.random.default_rng([1]))
    assert evaluator.rendered == {"presets": 10, "prior": 140}


def test_all_presets_are_tried_up_to_about_half_the_budget(dexed: Synth, simple_target: Target) -> None:
    own = [draw(dexed.prior(), 78, i) for i in range(300)]
    for renders, tried in ((1000, 300), (400, 192)):
        evaluator = evaluator_for(dexed, simple_target, renders)
        proposers: list[Proposer] = [PresetProposer(own), PriorProposer(dexed.prior())]
        retrieve(simple_target, evaluator, proposers, np.random.default_rng([1]))
        assert evaluator.rendered["presets"] == tried


def test_presets_alone_end_by_themselves(dexed: Synth, simple_target: Target) -> None:
    evaluator = evaluator_for(dexed, simple_target, 150)
    retrieve(simple_target, evaluator, [PresetProposer([dexed.space.default])], np.random.default_rng([1]))
    assert evaluator.budget.spent_renders == 1


@pytest.mark.parametrize("renders", [1, 10, 64, 65, 300])
def test_any_budget_is_spent_to_the_last_render_and_no_further(
    dexed: Synth, simple_target: Target, renders: int
) -> None:
    evaluator = evaluator_for(dexed, simple_target, renders)
    found = search(simple_target, evaluator, [PriorProposer(dexed.prior())], dexed.prior(), np.random.default_rng([2]))
    assert evaluator.budget.spent_renders == renders
    assert found[0].distance == evaluator.ranking()[0].distance


def test_searching_beats_drawing(dexed: Synth, simple_target: Target) -> None:
    prior = dexed.prior()
    drawn, searched = (evaluator_for(dexed, simple_target, 1200) for _ in range(2))
    retrieve(simple_target, drawn, [PriorProposer(prior, share=1.0)], np.random.default_rng([3]))
    search(simple_target, searched, [PriorProposer(prior)], prior, np.random.default_rng([3]))
    assert drawn.best is not None
    assert searched.best is not None
    assert searched.best.distance < 0.6 * drawn.best.distance


def test_chosen_candidates_differ(dexed: Synth) -> None:
    base = draw(dexed.prior(), 5, 0)
    near = base.copy()
    near[dexed.space.index("op1_detune")] = (near[dexed.space.index("op1_detune")] + 5) % 15
    far = draw(dexed.prior(), 5, 1)
    found = [Scored(1.0, base, "a"), Scored(1.1, near, "a"), Scored(1.2, far, "a")]
    assert difference(dexed.space, base, base) == 0.0
    assert difference(dexed.space, base, near) < 0.25 < difference(dexed.space, base, far)
    assert [scored.distance for scored in select(dexed.space, found, 2)] == [1.0, 1.2]
    assert [scored.distance for scored in select(dexed.space, found, 3)] == [1.0, 1.1, 1.2]
    assert len(select(dexed.space, [found[0], Scored(1.0, base, "b")], 2)) == 1


@pytest.mark.parametrize(
    ("target", "render", "error", "right"),
    [
        (440.0, 440.0, 0.0, True),
        (440.0, 880.0, 1200.0, False),
        (440.0, 220.0, 1200.0, False),
        (440.0, 445.0, 19.56, True),
        (440.0, None, np.inf, False),
        (None, 440.0, 0.0, True),
    ],
)
def test_octave_errors_count(target: float | None, render: float | None, error: float, right: bool) -> None:
    assert pitch_error(target, render) == pytest.approx(error, abs=0.01)
    assert pitch_is_right(target, render) is right


@pytest.mark.parametrize("more", [(), (Categorical("wave", ("a", "b")),)])
def test_a_space_that_has_been_searched_through_ends_the_search(simple_target: Target, more: tuple) -> None:
    class Tiny:
        space = ParameterSpace((Discrete("level", 0, 3), *more))

        def render(self, patch: np.ndarray, note: object, *, length: float, sample_rate: int) -> np.ndarray:
            return np.full((1, round(length * sample_rate)), patch.sum() / 10, dtype=np.float32)

    synth, generator = Tiny(), np.random.default_rng([6])
    evaluator, prior = evaluator_for(synth, simple_target, 1000), UniformPrior(synth.space)  # type: ignore[arg-type]
    search(simple_target, evaluator, [PriorProposer(prior)], prior, generator)
    assert evaluator.finished
    assert evaluator.budget.spent_renders == 4 * (2 if more else 1)
