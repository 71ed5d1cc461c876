"""One contract for all vector fields, over layouts with and without symmetries and one-hots."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from wav2patch.models.blocks import interchangeable
from wav2patch.models.fields.assigned_transformer import AssignedTransformer
from wav2patch.models.fields.catalogue import FIELDS
from wav2patch.models.fields.equivariant_transformer import EquivariantTransformer
from wav2patch.models.fields.relations import block_relations
from wav2patch.models.grids import gridded
from wav2patch.models.layout import Layout, space_layout
from wav2patch.synths.catalogue import RESEARCH, SYNTHS, load_synth

WIDTH = 12
"""Of a condition token."""

MIXED = Layout(
    ("level", "wave", "voices", "mode", "tune", "filter"),
    ("continuous", "categorical", "discrete", "categorical", "continuous", "categorical"),
    (0, 3, 4, 1, 0, 3),
    # Wave and filter may be exchanged; the others stay.
    ((0, 7, 8, 9, 4, 5, 6, 1, 2, 3),),
)
SMALL: dict[str, dict[str, Any]] = {
    "assigned_transformer": {"parameter_tokens": 5, "width": 16, "layers": 2, "heads": 2, "hidden": 24},
    "equivariant_transformer": {"fixed_tokens": 2, "width": 16, "layers": 2, "heads": 2, "hidden": 24},
    "parameter_transformer": {"width": 16, "layers": 2, "heads": 2, "hidden": 24},
    "mlp": {"width": 24, "blocks": 2},
}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, settings) for name, settings in SMALL.items()},
    "latents": ("parameter_transformer", {**SMALL["parameter_transformer"], "latents": 3}),
    "paper": ("equivariant_transformer", {**SMALL["equivariant_transformer"], "shared_condition": True}),
    "open": ("mlp", {**SMALL["mlp"], "shared_condition": False, "zero_gates": False, "time_features": 0}),
}
LAYOUTS = ("kosc_4", "fm_mixed", "dexed", "mixed")


@cache
def layout_of(name: str) -> Layout:
    return MIXED if name == "mixed" else space_layout(load_synth(name).space)


@cache
def symmetric_layouts() -> dict[str, Layout]:
    found = {name: layout_of(name) for name in (*SYNTHS, *RESEARCH, "mixed")}
    return {name: layout for name, layout in found.items() if layout.symmetries}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make(variant: str, layout: Layout, *, moved: bool = True, **settings: Any) -> Any:
    """A small field; `moved` takes it away from its first weights, where gates are closed and columns alike."""
    name, own = VARIANTS[variant]
    torch.manual_seed(5)
    field = FIELDS[name](layout, condition=WIDTH, **{**own, **settings})
    if moved:
        with torch.no_grad():
            for weights in field.parameters():
                weights.add_(0.2 * torch.randn_like(weights))
    return field


def tensor(*shape: int, index: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng([7, index]).normal(size=shape)).float()


def inputs(field: Any, layout: Layout, n: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    times = torch.from_numpy(np.random.default_rng([7, 1]).uniform(size=n)).float()
    return tensor(n, layout.width, index=0), times, tensor(n, field.tokens, WIDTH, index=2)


every = pytest.mark.parametrize("variant", VARIANTS)
everywhere = pytest.mark.parametrize("place", LAYOUTS)


@every
@everywhere
def test_velocities_have_the_shape_of_points_and_start_small(variant: str, place: str) -> None:
    layout = layout_of(place)
    field = make(variant, layout, moved=False)
    x, t, condition = inputs(field, layout, 64)
    velocity = field(x, t, condition)
    assert velocity.shape == x.shape
    # The data's own velocity has a mean square of 4/3 or more.
    assert float(velocity.detach().square().mean()) < 0.5


@every
@everywhere
def test_gradients_reach_every_parameter(variant: str, place: str) -> None:
    """Of weights that have moved: at the first step closed gates keep all but the gates still."""
    layout = layout_of(place)
    field = make(variant, layout).double()
    field(*(one.double() for one in inputs(field, layout))).square().sum().backward()
    # Not just rounding errors.
    reached = {name for name, one in field.named_parameters() if one.grad is not None and one.grad.abs().max() > 1e-8}
    assert reached == {name for name, _ in field.named_parameters()}


@every
def test_a_few_steps_open_the_gates(variant: str) -> None:
    layout = layout_of("mixed")
    field = make(variant, layout, moved=False)
    before = copy.deepcopy(field.state_dict())
    optimizer = torch.optim.Adam(field.parameters(), 1e-2)
    for _ in range(4):
        optimizer.zero_grad()
        (field(*inputs(field, layout)) - 1.0).square().mean().backward()
        optimizer.step()
    still = [name for name, weights in field.state_dict().items() if torch.equal(weights, before[name])]
    assert still == []


@every
@everywhere
def test_rows_do_not_depend_on_each_other(variant: str, place: str) -> None:
    layout = layout_of(place)
    field = make(variant, layout).double()
    x, t, condition = (one.double() for one in inputs(field, layout, 4))
    alone = torch.cat([field(x[i : i + 1], t[i : i + 1], condition[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(alone, field(x, t, condition), rtol=1e-10, atol=1e-10)


@every
@everywhere
def test_every_column_the_time_and_every_condition_token_matter(variant: str, place: str) -> None:
    layout = layout_of(place)
    field = make(variant, layout).double()
    x, t, condition = (one.double().requires_grad_() for one in inputs(field, layout))
    weigh = tensor(3, layout.width, index=3).double()
    (weigh * field(x, t, condition)).sum().backward()
    for values in (x, t, condition):
        assert values.grad is not None
        assert bool((values.grad.abs() > 1e-12).all())


@every
@everywhere
def test_every_column_gets_a_velocity_of_its_own(variant: str, place: str) -> None:
    layout = layout_of(place)
    field = make(variant, layout)
    velocity = field(*inputs(field, layout)).detach()
    assert len(np.unique(velocity[0].numpy())) == layout.width


@every
def test_a_copy_made_of_the_state_dict_is_the_same(variant: str) -> None:
    layout = layout_of("dexed")
    field, other = make(variant, layout), make(variant, layout, moved=False)
    other.load_state_dict(field.state_dict())
    arguments = inputs(field, layout)
    assert torch.equal(field(*arguments), other(*arguments))


# One of each and one layer: an export takes its time. The FM synth has relations, and no fixed columns.
EXPORTS = [
    ("equivariant_transformer", "fm_hierarchical"),
    ("assigned_transformer", "mixed"),
    ("parameter_transformer", "mixed"),
    ("latents", "mixed"),
    ("mlp", "mixed"),
]


@every
@pytest.mark.parametrize("place", ["dexed", "mixed"])
def test_a_field_answers_in_other_columns_than_it_is_asked(variant: str, place: str) -> None:
    """One for each value of a discrete parameter; every one of them depends on every column."""
    layout = layout_of(place)
    outputs = gridded(layout, 128)
    assert outputs.width > layout.width
    field = make(variant, layout, outputs=outputs).double()
    x, t, condition = (one.double().requires_grad_() for one in inputs(field, layout))
    found = field(x, t, condition)
    assert found.shape == (3, outputs.width)
    assert len(np.unique(found[0].detach().numpy())) == outputs.width
    (tensor(3, outputs.width, index=3).double() * found).sum().backward()
    reached = [one.grad is not None and bool((one.grad.abs() > 1e-12).any()) for one in (x, *field.parameters())]
    assert all(reached)


@every
@pytest.mark.parametrize("place", ["kosc_4", "mixed"])
def test_the_same_columns_are_the_field_without_others(variant: str, place: str) -> None:
    layout = layout_of(place)
    field, other = make(variant, layout), make(variant, layout, outputs=layout)
    arguments = inputs(field, layout)
    assert torch.equal(field(*arguments), other(*arguments))


def test_answers_for_values_commute_with_symmetries() -> None:
    layout = Layout(
        ("a", "b", "c", "d", "e"), ("discrete", "continuous") * 2 + ("discrete",), (4, 0, 4, 0, 7), ((2, 3, 0, 1, 4),)
    )
    outputs = gridded(layout, 128)
    field = make("equivariant_transformer", layout, outputs=outputs).double()
    x, t, condition = (one.double() for one in inputs(field, layout))
    (here,), (there,) = layout.symmetries, outputs.symmetries
    moved = field(x[:, list(here)], t, condition)
    torch.testing.assert_close(moved, field(x, t, condition)[:, list(there)], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("variant", "place"), EXPORTS)
def test_the_velocity_is_exported_to_onnx(variant: str, place: str, tmp_path: Path) -> None:
    layout = layout_of(place)
    depth = {"blocks": 1} if variant == "mlp" else {"layers": 1}
    field = make(variant, layout, **depth).eval()
    path = tmp_path / "field.onnx"
    export(field, inputs(field, layout, 2), path)
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    for n in (1, 5):
        arguments = inputs(field, layout, n)
        (found,) = session.run(None, dict(zip("xtc", (one.numpy() for one in arguments), strict=True)))
        np.testing.assert_allclose(found, field(*arguments).detach().numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("variant", ["assigned_transformer", "parameter_transformer"])
def test_answers_for_values_are_exported_to_onnx(variant: str, tmp_path: Path) -> None:
    layout = layout_of("mixed")
    field = make(variant, layout, layers=1, outputs=gridded(layout, 128)).eval()
    export(field, inputs(field, layout, 2), tmp_path / "field.onnx")
    import onnxruntime

    arguments = inputs(field, layout, 5)
    session = onnxruntime.InferenceSession(tmp_path / "field.onnx")
    (found,) = session.run(None, dict(zip("xtc", (one.numpy() for one in arguments), strict=True)))
    np.testing.assert_allclose(np.asarray(found), field(*arguments).detach().numpy(), rtol=1e-5, atol=1e-5)


def export(field: nn.Module, arguments: tuple[Tensor, ...], path: Path) -> None:
    with warnings.catch_warnings():
        # PyTorch's exporter warns of itself.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            field,
            arguments,
            path,
            dynamo=True,
            verbose=False,
            input_names=list("xtc"),
            output_names=["velocity"],
            dynamic_shapes=({0: torch.export.Dim.DYNAMIC},) * 3,
        )


def largest_error(field: Any, layout: Layout, dtype: torch.dtype) -> float:
    """Largest |f(Px) − P f(x)| over the layout's symmetries, relative to the largest velocity."""
    field = field.to(dtype)
    x, t, condition = (one.to(dtype) for one in inputs(field, layout))
    with torch.no_grad():
        velocity = field(x, t, condition)
        errors = [(field(x[:, list(p)], t, condition) - velocity[:, list(p)]).abs().max() for p in layout.symmetries]
    return float(max(errors) / velocity.abs().max())


@pytest.mark.parametrize(("dtype", "allowed"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
@pytest.mark.parametrize("synth_name", symmetric_layouts())
def test_the_equivariant_field_commutes_with_every_declared_symmetry(
    synth_name: str, dtype: torch.dtype, allowed: float
) -> None:
    layout = symmetric_layouts()[synth_name]
    assert largest_error(make("equivariant_transformer", layout), layout, dtype) < allowed


@pytest.mark.parametrize("variant", ["mlp", "assigned_transformer", "parameter_transformer", "latents"])
def test_the_others_do_not(variant: str) -> None:
    layout = layout_of("kosc_4")
    assert largest_error(make(variant, layout), layout, torch.float64) > 1e-2


def test_vital_and_surge_are_among_the_synths_with_symmetries() -> None:
    assert {"vital", "surge_xt_simple", "ksin_16", "kosc_4", "kosc_32", "fm_hierarchical"} <= set(symmetric_layouts())


def test_stacks_are_exchanged_but_not_a_modulator_with_that_of_another_stack() -> None:
    """The field commutes with no more than what leaves the sound unchanged."""
    layout = layout_of("fm_hierarchical")
    field = make("equivariant_transformer", layout)
    names = list(layout.names)
    wrong = list(range(layout.width))
    for field_name in ("frequency", "index"):
        one, other = names.index(f"{field_name}_m1"), names.index(f"{field_name}_m3")
        wrong[one], wrong[other] = other, one
    more = Layout(layout.names, layout.kinds, layout.sizes, (tuple(wrong),))
    assert largest_error(field, layout, torch.float64) < 1e-10
    assert largest_error(field, more, torch.float64) > 1e-4


def test_relations_are_needed_only_where_blocks_belong_together() -> None:
    assert block_relations(layout_of("kosc_4")) is None
    assert block_relations(layout_of("vital")) is None
    relations = block_relations(layout_of("fm_hierarchical"))
    assert relations is not None
    groups = interchangeable(layout_of("fm_hierarchical"))
    assert [len(group) for group in groups] == [4, 2]
    # Modulators: the same, that of the same carrier, one of the other carrier; and a modulator's two carriers.
    assert relations[0][:4] == relations[0][:1] + relations[0][1:2] + relations[0][2:3] * 2
    assert len(set(relations[0][:4])) == 3
    assert relations[0][4] != relations[0][5]
    assert relations[0][4] == relations[2][5]


def test_a_cyclic_symmetry_is_not_taken_for_a_free_exchange() -> None:
    """Three columns in a ring: turning the ring is a symmetry, turning it over is not."""
    kinds = ("continuous",) * 3
    ring = Layout(("a", "b", "c"), kinds, (0,) * 3, ((1, 2, 0),))
    field = make("equivariant_transformer", ring)
    swapped = Layout(ring.names, kinds, ring.sizes, ((1, 0, 2),))
    assert largest_error(field, ring, torch.float64) < 1e-10
    assert largest_error(field, swapped, torch.float64) > 1e-4


def test_the_assignment_is_that_of_the_paper() -> None:
    """The quicker order of operations gives what the formulas say."""
    layout = layout_of("mixed")
    field = make("assigned_transformer", layout).double()
    assert isinstance(field, AssignedTransformer)
    x, t, condition = (one.double() for one in inputs(field, layout))
    embedded = x[:, :, None] * field.embedding_in
    network = nn.Sequential(field.first, nn.GELU(), field.second)
    tokens = torch.einsum("ji,nid->njd", field.assignment, network(embedded))
    mixed = field.body(tokens, field.signals(t, condition))
    back = torch.einsum("ji,njd->nid", field.assignment, mixed)
    torch.testing.assert_close(field(x, t, condition), (back * field.embedding_out).sum(dim=-1))


def test_the_assignment_starts_alike_for_all_columns() -> None:
    layout = layout_of("dexed")
    field = make("assigned_transformer", layout, moved=False)
    assert field.assignment.shape == (5, layout.width)
    assert field.embedding_in.shape == field.embedding_out.shape == (layout.width, 16)
    assert torch.equal(field.embedding_in, field.embedding_out)
    assert field.embedding_in is not field.embedding_out
    spread = field.assignment.detach() - 1.0 / np.sqrt(5 * layout.width)
    assert 0.8e-4 < float(spread.std()) < 1.2e-4
    assert float(field.embedding_in.detach().std(dim=0).max()) < 2e-4
    penalty = field.penalties()["assignment"].detach()
    torch.testing.assert_close(penalty, field.assignment.detach().abs().mean())


def test_a_hasty_assignment_is_the_same_field_and_learns_as_many_times_as_fast() -> None:
    layout = layout_of("mixed")
    fields = {haste: make("assigned_transformer", layout, moved=False, haste=haste) for haste in (1.0, 30.0)}
    x, t, condition = inputs(fields[1.0], layout)
    torch.testing.assert_close(fields[30.0](x, t, condition), fields[1.0](x, t, condition))
    moved = {}
    for haste, field in fields.items():
        assert isinstance(field, AssignedTransformer)
        before = field.assignment.detach().clone(), field.first.weight.detach().clone()
        optimizer = torch.optim.Adam(field.parameters(), 1e-4)
        field(x, t, condition).square().sum().backward()
        optimizer.step()
        moved[haste] = [
            float((one - other).detach().abs().mean())
            for one, other in zip((field.assignment, field.first.weight), before, strict=True)
        ]
    assert moved[30.0][0] == pytest.approx(30.0 * moved[1.0][0], rel=0.05)
    assert moved[30.0][1] == pytest.approx(moved[1.0][1], rel=0.05)
    with pytest.raises(ValueError, match="haste is a positive number, not 0"):
        make("assigned_transformer", layout, haste=0.0)


@pytest.mark.parametrize("variant", ["assigned_transformer", "equivariant_transformer", "parameter_transformer"])
def test_a_transformer_wants_a_condition_token_for_each_layer_or_one(variant: str) -> None:
    layout = layout_of("fm_mixed")
    assert make(variant, layout, layers=3).tokens == 3
    assert make(variant, layout, layers=3, shared_condition=True).tokens == 1
    field = make(variant, layout)
    x, t, condition = inputs(field, layout)
    swapped = field(x, t, condition.flip(1))
    assert not torch.allclose(swapped, field(x, t, condition))


@pytest.mark.parametrize("variant", VARIANTS)
def test_bfloat16_works(variant: str) -> None:
    layout = layout_of("mixed")
    field = make(variant, layout)
    arguments = inputs(field, layout)
    with torch.autocast("cpu", torch.bfloat16):
        rough = field(*arguments)
    exact = field(*arguments)
    error = (rough.float() - exact).detach()
    assert float(error.square().mean()) < 0.01 * float(exact.detach().square().mean())


def test_closed_gates_make_layers_the_identity() -> None:
    layout = layout_of("kosc_4")
    field = make("equivariant_transformer", layout, moved=False)
    assert isinstance(field, EquivariantTransformer)
    _, t, condition = inputs(field, layout)
    tokens = tensor(3, 4, 16, index=4)
    assert torch.equal(field.body(tokens, field.signals(t, condition)), tokens)
    opened = make("equivariant_transformer", layout, moved=False, zero_gates=False)
    assert not torch.allclose(opened.body(tokens, opened.signals(t, condition)), tokens)


PAPER = {"condition": 128, "time_features": 0, "shared_condition": True, "zero_gates": False}
SURGE = {"condition": 512, "width": 512, "layers": 8, "heads": 8, "hidden": 512, "time_features": 256}


@pytest.mark.parametrize(
    ("name", "synth_name", "settings", "millions"),
    [
        ("equivariant_transformer", "kosc_4", PAPER, 1.192),
        ("equivariant_transformer", "kosc_32", PAPER, 1.192),
        ("assigned_transformer", "kosc_4", {**PAPER, "parameter_tokens": 4}, 1.227),
        ("assigned_transformer", "kosc_32", {**PAPER, "parameter_tokens": 32}, 1.252),
        ("mlp", "kosc_4", PAPER, 1.367),
        ("mlp", "kosc_32", PAPER, 1.399),
        ("assigned_transformer", "surge_xt_simple", {**SURGE, "parameter_tokens": 128}, 26.5),
        ("assigned_transformer", "surge_xt_full", {**SURGE, "parameter_tokens": 128}, 26.8),
    ],
)
def test_the_sizes_are_the_papers(name: str, synth_name: str, settings: dict[str, Any], millions: float) -> None:
    """To three in a thousand: our normalisations have no weights of their own, as the modulation follows at once."""
    layout = space_layout(load_synth(synth_name).space, pitches=25 if synth_name.startswith("surge") else 0)
    with torch.device("meta"):
        field = FIELDS[name](layout, **settings)
    found = sum(weights.numel() for weights in field.parameters())
    assert found == pytest.approx(millions * 1e6, rel=3e-3)


@pytest.mark.parametrize(
    ("variant", "settings", "hint"),
    [
        ("mlp", {"blocks": 0}, "blocks is 0"),
        ("mlp", {"time_features": 7}, "7 features"),
        ("assigned_transformer", {"parameter_tokens": 0}, "parameter_tokens is 0"),
        ("equivariant_transformer", {"heads": 3}, "multiple of 3"),
        ("equivariant_transformer", {"fixed_tokens": 0}, "fixed_tokens is 0"),
        ("parameter_transformer", {"latents": 0}, "latents is 0"),
        ("parameter_transformer", {"layers": 0}, "layers is 0"),
    ],
)
def test_settings_out_of_range_are_named(variant: str, settings: dict[str, Any], hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        make(variant, layout_of("fm_mixed"), **settings)
