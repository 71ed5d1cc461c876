"""Flow matching over mixed parameters: what it learns can be said beforehand."""

from __future__ import annotations

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
    flow = make_flow()
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
    weights[:, 2:] = 0.0
    other = vectors.clone()
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
    flow, asked = make_flow(sampler={"name": "heun", "steps": 4}), []
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
