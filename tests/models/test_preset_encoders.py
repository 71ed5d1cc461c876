"""What holds for every preset encoder, and the sizes of the published ones."""

from __future__ import annotations

import copy
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from wav2patch.errors import UserError  # noqa: E402
from wav2patch.models.layout import Layout, space_layout  # noqa: E402
from wav2patch.models.preset_encoders.catalogue import (  # noqa: E402
    PRESET_ENCODERS,
    PUBLISHED,
    make_preset_encoder,
)
from wav2patch.models.preset_encoders.feed_forward import INPUTS  # noqa: E402
from wav2patch.models.preset_encoders.inputs import Scalars  # noqa: E402
from wav2patch.models.preset_encoders.tokens import PresetTokens, position_code  # noqa: E402
from wav2patch.synths.catalogue import load_synth  # noqa: E402

SMALL: dict[str, dict[str, Any]] = {
    "mlp": {"hidden": 16},
    "highway": {"hidden": 16, "blocks": 3},
    "resnet": {"hidden": 16, "blocks": 3},
    "gru": {"states": 8},
    "transformer": {"width": 16, "layers": 2, "heads": 2, "hidden": 24},
}
VARIANTS: dict[str, dict[str, Any]] = {
    **{name: {"name": name, **settings} for name, settings in SMALL.items()},
    "mlp of scalars": {"name": "mlp", "inputs": "scalars", **SMALL["mlp"]},
    "highway of tokens": {"name": "highway", "inputs": {"name": "tokens", "token": 8}, **SMALL["highway"]},
    "highway of a GRU": {
        **{"name": "highway", **SMALL["highway"]},
        "inputs": {"name": "recurrent_tokens", "token": 8, "states": 6, "positions": True},
    },
    "transformer that wraps": {"name": "transformer", "tokens": {"periodic": 3}, **SMALL["transformer"]},
    "published transformer, small": {"name": "tfm", **SMALL["transformer"]},
}
LAYOUT = Layout(
    ("a", "wave", "b", "steps", "on"),
    ("continuous", "categorical", "continuous", "discrete", "categorical"),
    (0, 3, 0, 5, 2),
)
PAPER = {
    # Numeric and binary parameters, and the choices of the categorical ones, as the paper uses the synths.
    "dexed": (92, [32, 3, 3, 3, 2, 2, 2, 2]),
    "diva": (122, [5] * 31 + [6] * 19 + [5]),
    "tal": (51, [7, 7, 7, 7, 6, 6, 6, 6]),
}
MILLIONS = {
    "mlp_raw": (4.80, 4.95, 4.72),
    "mlp_oh": (4.885, 5.407, 4.807),
    "hn_oh": (6.167, 6.363, 6.138),
    "rn_oh": (0.548, 0.614, 0.539),
    "hn_pt": (6.014, 8.423, 4.669),
    "hn_ptgru": (7.074, 7.172, 7.059),
    "gru_oh": (2.83, 2.83, 2.83),
    "tfm": (4.825, 4.890, 4.815),
}


def patches(layout: Layout = LAYOUT, n: int = 6) -> Tensor:
    random = torch.Generator().manual_seed(5)
    vectors = 2.0 * torch.rand(n, layout.width, generator=random) - 1.0
    for i in layout.of_kind("categorical"):
        count = layout.widths[i]
        chosen = torch.randint(count, (n,), generator=random)
        vectors[:, layout.columns[i]] = 2.0 * nn.functional.one_hot(chosen, count).float() - 1.0
    return vectors


@pytest.fixture(params=VARIANTS)
def encoder(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(1)
    return make_preset_encoder(VARIANTS[request.param], LAYOUT, 7).eval()


def test_every_encoder_and_input_is_tested() -> None:
    assert set(SMALL) == set(PRESET_ENCODERS)
    assert {VARIANTS[name].get("inputs", "one_hots") for name in ("mlp of scalars", "mlp")} == {"scalars", "one_hots"}
    named = {one["inputs"]["name"] for one in VARIANTS.values() if isinstance(one.get("inputs"), dict)}
    assert named | {"scalars", "one_hots"} == set(INPUTS)


def test_a_row_does_not_depend_on_others(encoder: nn.Module) -> None:
    found = encoder(patches())
    assert found.shape == (6, 7)
    assert found.dtype == torch.float32
    torch.testing.assert_close(encoder(patches()[2:3]), found[2:3], rtol=1e-4, atol=1e-5)


def test_every_parameter_is_heard(encoder: nn.Module) -> None:
    """A change of any parameter changes the embedding, and a gradient comes back to each of its columns."""
    vectors = patches().requires_grad_()
    weights = torch.linspace(-1.0, 1.0, 7)
    (encoder(vectors) * weights).sum().backward()
    assert vectors.grad is not None
    assert vectors.grad.isfinite().all()
    for i, span in enumerate(LAYOUT.columns):
        assert (vectors.grad[:, span].abs().amax(dim=0) > 0).sum() >= max(1, LAYOUT.widths[i] - 1), LAYOUT.names[i]
    before = encoder(patches())
    for i, span in enumerate(LAYOUT.columns):
        changed = patches()
        changed[:, span] = changed[:, span].roll(1, dims=1) if LAYOUT.widths[i] > 1 else 0.3 * changed[:, span]
        assert (encoder(changed) - before).abs().max() > 1e-6, LAYOUT.names[i]


def test_every_weight_gets_a_gradient(encoder: nn.Module) -> None:
    encoder.train()(patches(n=32)).square().sum().backward()
    for name, weight in encoder.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name


def test_soft_choices_lie_between(encoder: nn.Module) -> None:
    """A one-hot on its way from one choice to the next moves the embedding without a jump."""
    one, other = patches(n=1), patches(n=1)
    other[:, LAYOUT.columns[1]] = other[:, LAYOUT.columns[1]].roll(1, dims=1)
    way = torch.linspace(0.0, 1.0, 201)[:, None]
    found = encoder(one + way * (other - one))
    steps = (found[1:] - found[:-1]).norm(dim=1)
    assert steps.max() < 0.2 * steps.sum()


def test_it_learns_five_patches(encoder: nn.Module) -> None:
    wanted = torch.randn(6, 7, generator=torch.Generator().manual_seed(3))
    encoder.train()
    optimizer = torch.optim.Adam(encoder.parameters(), 1e-2)
    first = last = 0.0
    for step in range(150):
        loss = (encoder(patches()) - wanted).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        first, last = loss.item() if step == 0 else first, loss.item()
    assert last < 0.25 * first


def test_copies_are_equal(encoder: nn.Module) -> None:
    other = copy.deepcopy(encoder)
    other.load_state_dict(encoder.state_dict())
    assert torch.equal(other(patches()), encoder(patches()))


@pytest.mark.parametrize("place", range(3), ids=list(PAPER))
@pytest.mark.parametrize("name", PUBLISHED)
def test_as_many_weights_as_were_published(name: str, place: int) -> None:
    """At 192 numbers, as counted in the original; where the count has two digits behind the point, to those."""
    numbers, choices = PAPER[list(PAPER)[place]]
    kinds: Any = ["continuous"] * numbers + ["categorical"] * len(choices)
    layout = Layout(tuple(map(str, range(len(kinds)))), tuple(kinds), tuple([0] * numbers + choices))
    encoder = make_preset_encoder(name, layout, 192)
    # Keys have a bias in the original, which changes nothing.
    left_out = 6 * 256 if name == "tfm" else 0
    count = (left_out + sum(weights.numel() for weights in encoder.parameters())) / 1e6
    digits = 2 if name in ("mlp_raw", "gru_oh") else 3
    assert round(count, digits) == pytest.approx(MILLIONS[name][place], abs=1.01 * 10**-digits)


@pytest.mark.parametrize("synth", ["dexed", "vital", "inversynth_fm", "kosc_4"])
def test_for_every_space(synth: str) -> None:
    layout = space_layout(load_synth(synth).space)
    for name in PUBLISHED:
        small = {"states": 16} if name == "gru_oh" else {"hidden": 16}
        extra: dict[str, Any] = {"width": 16, "layers": 1, "heads": 2} if name == "tfm" else {}
        with torch.no_grad():
            found = make_preset_encoder({"name": name, **small, **extra}, layout, 5).eval()(patches(layout, 2))
        assert found.shape == (2, 5), name


def test_scalars_are_places_among_choices() -> None:
    values = Scalars(LAYOUT)(torch.tensor([[-1.0, -1, -1, 1, 0, 0.5, 1, -1], [1.0, -1, 1, -1, 1, -1, 0, 0]]))
    assert values.tolist() == [[0.0, 1.0, 0.5, 0.75, 0.0], [1.0, 0.5, 1.0, 0.0, 0.5]]


def test_tokens_come_in_the_order_of_the_parameters() -> None:
    """A change of one parameter changes its token and no other."""
    tokens = PresetTokens(LAYOUT, 6, periodic=2)
    before = tokens(patches())
    for i, span in enumerate(LAYOUT.columns):
        changed = patches()
        changed[:, span] = changed[:, span].roll(1, dims=1) if LAYOUT.widths[i] > 1 else 0.5 * changed[:, span]
        moved = (tokens(changed) - before).abs().amax(dim=(0, 2)) > 1e-6
        assert moved.tolist() == [j == i for j in range(len(LAYOUT))]


def test_published_tokens_of_zero_say_nothing() -> None:
    """What the paper's tokens cannot tell, and those with a bias can: which control is at its lowest."""
    lowest = -torch.ones(1, LAYOUT.width)
    paper = PresetTokens(LAYOUT, 6, bias=False)(lowest)
    ours = PresetTokens(LAYOUT, 6)(lowest)
    assert (paper == 0).all()
    numbers = [0, 2, 3]
    assert (ours[0, numbers].abs().amax(dim=1) > 0).all()


def test_waves_wrap_around() -> None:
    """Of what is periodic alone, both ends of a range have one token."""
    tokens = PresetTokens(LAYOUT, 6, periodic=2, bias=False)
    with torch.no_grad():
        tokens.table.zero_()
    ends = torch.stack([-torch.ones(LAYOUT.width), torch.ones(LAYOUT.width)])
    found = tokens(ends)[:, 0]
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=1e-5)
    assert (found[0] - tokens(torch.zeros(1, LAYOUT.width))[0, 0]).abs().max() > 0.1


def test_positions_are_those_of_the_transformer() -> None:
    code = position_code(5, 8)
    assert code[3, 2] == pytest.approx(torch.sin(torch.tensor(3 / 10000 ** (2 / 8))))
    assert code[3, 5] == pytest.approx(torch.cos(torch.tensor(3 / 10000 ** (4 / 8))))
    assert code.square().mean(dim=1).sqrt().tolist() == pytest.approx([0.5**0.5] * 5)


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("lstm", "there is no preset encoder called 'lstm': choose from mlp, highway, resnet, gru, transformer"),
        ({"name": "mlp", "inputs": "numbers"}, "inputs are scalars, one_hots, tokens, recurrent_tokens, not 'numbers'"),
        ({"name": "mlp", "inputs": {"name": "tokens", "tokken": 8}}, "the preset encoder mlp cannot be made"),
        ({"name": "highway", "hiden": 8}, "no setting 'hiden': write hidden"),
        ({"name": "highway", "blocks": 0}, "hidden and blocks are at least 1"),
        ({"name": "gru", "states": 7}, "choose an even number, not 7"),
        ({"name": "transformer", "width": 10}, "does not divide by 8 heads"),
        ({"name": "tfm", "tokens": {"spread": 0}}, "spread is a positive number"),
    ],
)
def test_wrong_settings_get_one_sentence(spec: Any, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        make_preset_encoder(spec, LAYOUT, 4)
