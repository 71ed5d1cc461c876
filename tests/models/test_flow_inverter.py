"""Flow matching over mixed parameters: what it learns can be said beforehand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wav2patch.models.inverters.base import Examples
from wav2patch.models.inverters.catalogue import make_inverter
from wav2patch.models.inverters.flow_matching import FlowMatching
from wav2patch.models.layout import Layout, space_layout
from wav2patch.models.noise import Noise
from wav2patch.synths.catalogue import load_synth

LAYOUT = Layout(("level", "voices", "wave"), ("continuous", "discrete", "categorical"), (0, 4, 3))
SETTINGS = {
    "kind": "flow_matching",
    "width": 16,
    "encoder": {"name": "mlp", "hidden": 16, "blocks": 1},
    "field": {"name": "mlp", "width": 64, "blocks": 3},
}
GRID = torch.tensor([-1.0, -1 / 3, 1 / 3, 1.0])


def make_flow(**changes: object) -> FlowMatching:
    torch.manual_seed(0)
    found = make_inverter({**SETTINGS, **changes}, LAYOUT, (4,), note=False)
    assert isinstance(found, FlowMatching)
    return found


def draw(rows: torch.Tensor) -> torch.Tensor:
    """Level is ±0.6, voices 0 or 3 as the level is low or high, wave is the third in one of five rows."""
    noise = Noise(99, 0, rows)
    high = noise.uniform("high", 1)[:, 0] < 0.5
    third = noise.uniform("third", 1)[:, 0] < 0.2
    level = torch.where(high, 0.6, -0.6)
    voices = torch.where(high, GRID[3], GRID[0])
    wave = torch.nn.functional.one_hot(torch.where(third, 2, 0), 3) * 2.0 - 1.0
    return torch.cat([level[:, None], voices[:, None], wave], dim=1).float()


@pytest.fixture(scope="module", params=["endpoint", "one_hot"])
def trained(request: pytest.FixtureRequest) -> FlowMatching:
    torch.set_num_threads(1)
    flow = make_flow(categoricals=request.param, condition_dropout=0.0)
    optimizer = torch.optim.Adam(flow.parameters(), 3e-3)
    for step in range(500):
        rows = torch.arange(step * 256, (step + 1) * 256)
        examples = Examples(torch.zeros(256, 4), None, draw(rows))
        optimizer.zero_grad()
        flow.loss(examples, Noise(0, 0, rows))["loss"].backward()
        optimizer.step()
    return flow


def test_it_learns_modes_and_frequencies(trained: FlowMatching) -> None:
    """Where regression would answer with a mean that is never right."""
    trained.guidance = 1.0
    found = trained.propose(torch.zeros(4), 2_000, torch.Generator().manual_seed(1)) * 2 - 1
    level, voices, wave = found[:, 0], found[:, 1], found[:, 2:].argmax(dim=1)
    assert ((level.abs() - 0.6).abs() < 0.15).float().mean() > 0.9
    assert abs((level > 0).float().mean() - 0.5) < 0.06
    assert ((voices > 0) == (level > 0)).float().mean() > 0.97
    assert abs((wave == 2).float().mean() - 0.2) < 0.06
    assert (wave == 1).float().mean() < 0.02


def test_discrete_values_stay_within_their_step() -> None:
    flow = make_flow(discretes="spread")
    vectors = GRID.repeat(500)[:, None].repeat(1, 5)
    spread = flow._spread(vectors, Noise(0, 0, torch.arange(2_000)))
    moved = spread - vectors
    assert (moved[:, [0, 2, 3, 4]] == 0).all()
    assert (moved[:, 1].abs() <= 1 / 3 + 1e-6).all()
    assert moved[:, 1].std() == pytest.approx(2 / 3 / 12**0.5, rel=0.05)
    step = torch.round((spread[:, 1].clamp(-1, 1) + 1) / 2 * 3)
    torch.testing.assert_close(step, torch.arange(4.0).repeat(500))


@pytest.mark.parametrize("coupling", ["independent", "hungarian", "sinkhorn"])
def test_preparing_ahead_changes_nothing(coupling: str) -> None:
    flow, rows = make_flow(coupling=coupling), torch.arange(32)
    examples, noise = Examples(torch.randn(32, 4), None, draw(rows)), Noise(0, 0, rows)
    ahead = flow.loss(flow.prepare(examples, noise), noise)
    for name, value in flow.loss(examples, noise).items():
        torch.testing.assert_close(value, ahead[name], rtol=0, atol=0)


def test_losses_of_rows_make_up_the_loss() -> None:
    flow, rows = make_flow(), torch.arange(64)
    found = flow.loss(Examples(torch.randn(64, 4), None, draw(rows)), Noise(0, 0, rows))
    torch.testing.assert_close(found["_rows"].mean(), found["loss"])
    torch.testing.assert_close(found["velocity"] + found["choice"], found["loss"])
    assert ((found["_times"] > 0) & (found["_times"] < 1)).all()


def test_a_parameter_that_cannot_be_heard_does_not_count() -> None:
    flow, rows = make_flow(), torch.arange(16)
    vectors, weights = draw(rows), torch.ones(16, 5)
    weights[:, 1:] = 0.0
    other = vectors.clone()
    other[:, 1] = -other[:, 1]
    other[:, 2:] = other[:, [3, 4, 2]]
    start = Noise(0, 0, rows).normal("start", 5)
    # What is put in for the choice still moves the point that the field sees; only its error is gone.
    first, second = (
        flow.loss(Examples(torch.zeros(16, 4), None, one, weights, start), Noise(0, 0, rows))
        for one in (vectors, other)
    )
    assert first["choice"] == second["choice"] == 0
    assert first["loss"] > 0


def test_guidance_of_one_asks_the_field_once_a_step() -> None:
    flow, asked = make_flow(sampler={"name": "heun", "steps": 4}, discretes="spread"), []
    flow.field.register_forward_hook(lambda module, inputs, output: asked.append(len(inputs[0])))
    for guidance in (1.0, 3.0):
        flow.guidance = guidance
        flow.propose(torch.zeros(4), 5, torch.Generator().manual_seed(0))
    assert asked == [5] * 8 + [10] * 8


def test_bad_settings_are_named() -> None:
    from wav2patch.errors import UserError

    for settings, said in (
        ({"kind": "flow"}, "choose from flow_matching"),
        ({"kind": "flow_matching", "fild": "mlp"}, "write field"),
        ({"kind": "flow_matching", "encoder": "mlp", "field": "dit"}, "there is no field called 'dit'"),
        ({"kind": "flow_matching", "encoder": {"name": "mlp", "hiden": 3}, "field": "mlp"}, "write hidden"),
        ({"kind": "flow_matching", "encoder": "mlp", "field": "mlp", "categoricals": "x"}, "categoricals is endpoint"),
    ):
        with pytest.raises(UserError, match=said):
            make_inverter(settings, LAYOUT, (4,), note=False)


def test_the_equivariance_penalty_is_zero_for_a_strict_field_alone() -> None:
    layout, rows = space_layout(load_synth("kosc_4").space), torch.arange(8)
    vectors = torch.rand(8, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = {}
    for field in ("equivariant_transformer", "mlp"):
        torch.manual_seed(0)
        settings = {**SETTINGS, "field": {"name": field, "shared_condition": True, "width": 32}}
        flow = make_inverter({**settings, "penalties": {"equivariance": 10.0}}, layout, (4,), note=False)
        for parameter in flow.parameters():
            parameter.data += 0.05 * torch.randn(parameter.shape)
        losses = flow.loss(Examples(torch.zeros(8, 4), None, vectors), Noise(0, 0, rows))
        torch.testing.assert_close(losses["loss"], losses["velocity"] + 10.0 * losses["equivariance"])
        found[field] = losses["equivariance"].item()
    assert found["equivariant_transformer"] < 1e-10
    assert found["mlp"] > 1e-4


MASSES = Layout(("value", "other", "wave"), ("discrete", "discrete", "categorical"), (100, 80, 3))
"""Values with masses: `massive` draws them."""


PLACES = torch.tensor([17.0, 38.0, 61.0, 80.0])
"""Where the mass is, by the sound."""


def massive(rows: torch.Tensor) -> Examples:
    """One of four sounds; value is its place in 70% of rows, of wave 0, and else anything; other is 30 or 37."""
    noise = Noise(98, 0, rows)
    sound = (noise.uniform("sound", 1)[:, 0] * 4).long()
    there = noise.uniform("there", 1)[:, 0] < 0.7
    value = torch.where(there, PLACES[sound], (noise.uniform("value", 1)[:, 0] * 100).floor().float())
    other = torch.where(noise.uniform("other", 1)[:, 0] < 0.5, 30.0, 37.0)
    wave = torch.nn.functional.one_hot((~there).long(), 3) * 2.0 - 1.0
    vectors = torch.cat([(value / 99 * 2 - 1)[:, None], (other / 79 * 2 - 1)[:, None], wave], dim=1)
    return Examples(torch.nn.functional.one_hot(sound, 4).float(), None, vectors.float())


def trained_on_masses(discretes: str) -> torch.Tensor:
    """Draws ``(4 sounds, n, 5)`` in [0, 1] of a flow trained on them."""
    torch.manual_seed(0)
    made = make_inverter({**SETTINGS, "discretes": discretes, "condition_dropout": 0.0}, MASSES, (4,), note=False)
    assert isinstance(made, FlowMatching)
    optimizer = torch.optim.Adam(made.parameters(), 4e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 500)
    for step in range(500):
        rows = torch.arange(step * 256, (step + 1) * 256)
        optimizer.zero_grad()
        made.loss(massive(rows), Noise(0, 0, rows))["loss"].backward()
        optimizer.step()
        scheduler.step()
    made.guidance = 1.0
    return (made.propose_batch(torch.eye(4), None, 1_000, torch.Generator().manual_seed(1)) + 1) / 2


def test_masses_of_discrete_values_are_learnt() -> None:
    """As spread values do not: a Gaussian flow smears them over their neighbours."""
    found, places = trained_on_masses("grid"), PLACES[:, None]
    value, other, wave = (found[..., 0] * 99).round(), (found[..., 1] * 79).round(), found[..., 2:].argmax(dim=-1)
    assert ((value == places).float().mean(dim=1) - 0.703).abs().max() < 0.07
    assert ((value != places) & ((value - places).abs() < 4)).float().mean() < 0.05
    assert ((value == places) == (wave == 0)).float().mean() > 0.95
    assert abs((other == 30).float().mean() - 0.5) < 0.06
    assert ((other == 30) | (other == 37)).float().mean() > 0.95
    smeared = trained_on_masses("spread")
    value, other = (smeared[..., 0] * 99).round(), (smeared[..., 1] * 79).round()
    assert ((value == places).float().mean(dim=1) - 0.703).abs().max() > 0.1
    assert ((other == 30) | (other == 37)).float().mean() < 0.6


def test_the_velocity_leads_to_the_mean_of_the_answers_by_bayes_rule() -> None:
    """A field that says nothing, log p(v) = const, leaves what the point says: checked value by value."""
    torch.manual_seed(0)
    flow = make_inverter(SETTINGS, MASSES, (4,), note=False).double()
    assert isinstance(flow, FlowMatching)
    for weights in flow.field.parameters():
        weights.data.zero_()
    x, t = torch.randn(6, 5).double(), torch.linspace(0.0, 0.9, 6).double()
    found = flow.velocity(x, t, flow.null.expand(6, -1, -1))
    for row in range(6):
        wanted = []
        for column, size in ((0, 100), (1, 80)):
            grid = torch.arange(size).double() / (size - 1) * 2 - 1
            odds = torch.exp(-((x[row, column] - t[row] * grid) ** 2) / (2 * (1 - t[row]) ** 2))
            wanted.append((odds * grid).sum() / odds.sum())
        # Of the choice the field alone would tell.
        mean = torch.cat([torch.stack(wanted), torch.full((3,), 2 / 3 - 1).double()])
        torch.testing.assert_close(found[row], (mean - x[row]) / (1 - t[row]), rtol=1e-6, atol=1e-6)


def test_the_loss_of_a_field_that_says_nothing_is_the_entropy_of_the_point() -> None:
    torch.manual_seed(0)
    flow, rows = make_inverter(SETTINGS, MASSES, (4,), note=False).double(), torch.arange(8)
    assert isinstance(flow, FlowMatching)
    for weights in flow.field.parameters():
        weights.data.zero_()
    vectors, start = massive(rows).vectors.double(), Noise(0, 0, rows).normal("start", 5).double()
    found = flow.loss(Examples(torch.zeros(8, 4).double(), None, vectors, None, start), Noise(0, 0, rows))
    t = found["_times"][:, None]
    x, total = (1 - t) * start + t * vectors, torch.zeros(8).double()
    for column, size in ((0, 100), (1, 80)):
        grid = torch.arange(size).double() / (size - 1) * 2 - 1
        table = torch.log_softmax(-((x[:, column, None] - t * grid) ** 2) / (2 * (1 - t).clamp(min=0.02) ** 2), dim=1)
        answer = ((vectors[:, column] + 1) / 2 * (size - 1)).round().long()
        total -= table.gather(1, answer[:, None])[:, 0]
    # And log 3 for a choice of which nothing is known.
    torch.testing.assert_close(found["_rows"], (total + np.log(3)) / 3, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("field", ["mlp", "parameter_transformer", "assigned_transformer", "equivariant_transformer"])
def test_gradients_reach_every_parameter_of_a_field_of_values(field: str) -> None:
    flow, rows = make_flow(field={"name": field, "width": 16, "zero_gates": False}), torch.arange(32)
    flow.loss(Examples(torch.randn(32, 4), None, draw(rows)), Noise(0, 0, rows))["loss"].backward()
    still = [word for word, one in flow.named_parameters() if one.grad is None or not float(one.grad.abs().max()) > 0]
    assert still == []


def test_large_grids_stay_spread() -> None:
    sizes = {name: make_flow(**{"most_values": most}) for name, most in (("grid", 4), ("spread", 3))}
    assert sizes["grid"].endpoints.any_grid
    assert not sizes["spread"].endpoints.any_grid
    assert sizes["spread"].state_dict().keys() == make_flow(discretes="spread").state_dict().keys()


def test_a_flow_without_discrete_parameters_knows_nothing_of_grids() -> None:
    layout = space_layout(load_synth("kosc_4").space)
    made = []
    for discretes in ("grid", "spread"):
        torch.manual_seed(0)
        one = make_inverter({**SETTINGS, "discretes": discretes}, layout, (4,), note=False)
        made.append(one.propose(torch.zeros(4), 3, torch.Generator().manual_seed(0)))
        assert "landing" not in one.sampling
    assert torch.equal(*made)


def test_a_landing_flow_asks_the_field_once_at_last_and_never_at_the_end() -> None:
    flow, asked = make_flow(sampler={"name": "heun", "steps": 4}), []
    flow.guidance = 1.0
    flow.field.register_forward_hook(lambda module, inputs, output: asked.append(float(inputs[1][0])))
    flow.propose(torch.zeros(4), 5, torch.Generator().manual_seed(0))
    assert asked == [0, 0.4375, 0.4375, 0.75, 0.75, 0.9375, 0.9375]
