from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from wav2patch.models.layout import Layout, space_layout
from wav2patch.models.losses import LOSSES
from wav2patch.synths.tensor.oscillators import KOsc

BLIND = ["assignment", "chamfer", "sorted"]
"""To the order of the wanted blocks."""
SYMMETRIC = ["assignment", "chamfer"]
"""To the order of both sides."""


def layout(k: int, fields: int, others: int = 0) -> Layout:
    """k oscillators whose fields lie together, `fields` blocks of k columns, and columns that nothing moves."""
    width = k * fields + others
    orders = []
    for i in range(k - 1):
        order = np.arange(width)
        for field in range(fields):
            order[field * k + i], order[field * k + i + 1] = field * k + i + 1, field * k + i
        orders.append(tuple(order.tolist()))
    names = tuple(f"p{i}" for i in range(width))
    return Layout(names, ("continuous",) * width, (0,) * width, tuple(orders))


def sides(n: int, width: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = np.random.default_rng([seed, n, width])
    predicted, wanted = generator.uniform(-1, 1, (2, n, width))
    return torch.from_numpy(predicted), torch.from_numpy(wanted)


def exchanged(vectors: Tensor, k: int, fields: int, seed: int) -> Tensor:
    """Each row's oscillators in another order, other columns as they are."""
    moved = vectors.clone()
    for row in range(len(vectors)):
        order = np.random.default_rng([9, seed, row]).permutation(k)
        for field in range(fields):
            moved[row, field * k : (field + 1) * k] = vectors[row, field * k + order]
    return moved


def test_mse_is_the_mean_over_columns() -> None:
    predicted, wanted = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[0.0, 4.0], [0.0, 0.0]])
    assert LOSSES["mse"](layout(2, 1))(predicted, wanted).tolist() == [2.5, 0.0]


@pytest.mark.parametrize(
    ("weights", "result"),
    [([1.0, 1.0], 2.5), ([1.0, 0.0], 1.0), ([0.0, 1.0], 4.0), ([0.0, 0.0], 0.0), ([3.0, 1.0], 1.75)],
)
def test_mse_weighs_columns(weights: list[float], result: float) -> None:
    predicted, wanted = torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 4.0]])
    loss = LOSSES["mse"](layout(2, 1))
    assert loss(predicted, wanted, torch.tensor([weights])).item() == pytest.approx(result)
    assert loss(predicted, wanted, torch.tensor(weights)).item() == pytest.approx(result)


# Two oscillators (frequency, amplitude) and a column apart: p = (0, 0), (1, 1); q = (1, 0), (0.5, 1); apart 2 and 3.
PREDICTED, WANTED = torch.tensor([[0.0, 1.0, 0.0, 1.0, 2.0]]), torch.tensor([[1.0, 0.5, 0.0, 1.0, 3.0]])


@pytest.mark.parametrize(
    ("name", "result"),
    [
        # Squared distances: p0q0 1, p0q1 1.25, p1q0 1, p1q1 0.25; the column apart adds 1; five columns.
        ("mse", (1 + 0.25 + 1) / 5),
        ("assignment", (1 + 0.25 + 1) / 5),
        # There: 1 + 0.25; back: 1 + 0.25.
        ("chamfer", ((1.25 + 1.25) / 2 + 1) / 5),
        # By frequency q1 comes first, so that p0 meets it and p1 meets q0.
        ("sorted", (1.25 + 1 + 1) / 5),
    ],
)
def test_worked_values(name: str, result: float) -> None:
    assert LOSSES[name](layout(2, 2, 1))(PREDICTED, WANTED).item() == pytest.approx(result)


@pytest.mark.parametrize(
    ("name", "result"),
    [
        # Without the amplitude of q0: p0q0 1, p0q1 1.25, p1q0 0, p1q1 0.25; four columns count.
        ("mse", (1 + 0.25 + 1) / 4),
        ("assignment", (1 + 0.25 + 1) / 4),
        ("sorted", (1.25 + 0 + 1) / 4),
        # Nearest without weights, first of equals: p0 → q0 1, p1 → q1 0.25; q0 → p0 1, q1 → p1 0.25.
        ("chamfer", (1.25 + 1) / 4),
    ],
)
def test_worked_values_with_weights(name: str, result: float) -> None:
    weights = torch.tensor([[1.0, 1.0, 0.0, 1.0, 1.0]])
    assert LOSSES[name](layout(2, 2, 1))(PREDICTED, WANTED, weights).item() == pytest.approx(result)


@pytest.mark.parametrize("name", BLIND)
@pytest.mark.parametrize("k", [2, 4, 6])
def test_the_order_of_wanted_blocks_does_not_matter(name: str, k: int) -> None:
    predicted, wanted = sides(20, 3 * k + 2)
    loss = LOSSES[name](layout(k, 3, 2))
    torch.testing.assert_close(loss(predicted, exchanged(wanted, k, 3, 2)), loss(predicted, wanted))


@pytest.mark.parametrize("name", SYMMETRIC)
@pytest.mark.parametrize("k", [2, 4, 6])
def test_the_order_of_predicted_blocks_does_not_matter(name: str, k: int) -> None:
    predicted, wanted = sides(20, 3 * k + 2)
    loss = LOSSES[name](layout(k, 3, 2))
    here = loss(predicted, wanted)
    torch.testing.assert_close(loss(exchanged(predicted, k, 3, 1), wanted), here)
    torch.testing.assert_close(loss(exchanged(wanted, k, 3, 3), wanted), torch.zeros_like(here))


@pytest.mark.parametrize("k", [2, 4, 6])
def test_sorted_wants_one_order(k: int) -> None:
    _, wanted = sides(20, 3 * k + 2)
    blocks = wanted[:, : 3 * k].reshape(20, 3, k)
    in_order = blocks.gather(2, blocks[:, :1].argsort(dim=2).expand_as(blocks)).reshape(20, 3 * k)
    ascending = torch.cat([in_order, wanted[:, 3 * k :]], dim=1)
    sorts, mse = LOSSES["sorted"](layout(k, 3, 2)), LOSSES["mse"](layout(k, 3, 2))
    assert sorts(ascending, wanted).tolist() == [0.0] * 20
    torch.testing.assert_close(sorts(wanted, ascending), mse(wanted, ascending))


@pytest.mark.parametrize("name", BLIND)
def test_weights_move_with_the_wanted_blocks(name: str) -> None:
    predicted, wanted = sides(20, 14)
    weights = torch.from_numpy(np.random.default_rng([6, 0]).uniform(0, 1, (20, 14)))
    loss = LOSSES[name](layout(4, 3, 2))
    moved = loss(predicted, exchanged(wanted, 4, 3, 5), exchanged(weights, 4, 3, 5))
    torch.testing.assert_close(moved, loss(predicted, wanted, weights))


@pytest.mark.parametrize("name", BLIND)
def test_columns_in_no_block_count_plainly(name: str) -> None:
    predicted, wanted = sides(10, 8)
    wanted[:, :3] = wanted[:, :3].sort(dim=1).values
    predicted[:, :6] = wanted[:, :6]
    plain = LOSSES["mse"](layout(3, 2, 2))(predicted, wanted)
    torch.testing.assert_close(LOSSES[name](layout(3, 2, 2))(predicted, wanted), plain)


@pytest.mark.parametrize("name", BLIND)
def test_fields_of_a_block_stay_together(name: str) -> None:
    # The same frequencies and amplitudes, paired differently, are another sound.
    predicted, wanted = torch.tensor([[0.0, 1.0, 0.0, 1.0]]), torch.tensor([[0.0, 1.0, 1.0, 0.0]])
    assert LOSSES[name](layout(2, 2))(predicted, wanted).item() > 0.2


@given(st.integers(2, 6), st.integers(1, 3), st.integers(0, 10_000), st.booleans())
@settings(max_examples=30, deadline=None, derandomize=True)
def test_assignment_is_optimal_by_brute_force(k: int, fields: int, seed: int, weighted: bool) -> None:
    predicted, wanted = sides(2, k * fields + 1, seed)
    generator = np.random.default_rng([8, seed])
    weights = torch.from_numpy(generator.uniform(0.2, 2, wanted.shape)) if weighted else torch.ones_like(wanted)
    tries = []
    for order in permutations(range(k)):
        columns = [field * k + i for field in range(fields) for i in order] + [k * fields]
        errors = weights[:, columns] * (predicted - wanted[:, columns]) ** 2
        tries.append(errors.sum(dim=1) / weights.sum(dim=1).clamp(min=1))
    got = LOSSES["assignment"](layout(k, fields, 1))(predicted, wanted, weights if weighted else None)
    torch.testing.assert_close(got, torch.stack(tries).amin(dim=0), rtol=1e-12, atol=1e-12)


@given(st.integers(2, 6), st.integers(1, 3), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_losses_are_in_this_order(k: int, fields: int, seed: int) -> None:
    predicted, wanted = sides(8, k * fields + 1, seed)
    value = {name: LOSSES[name](layout(k, fields, 1))(predicted, wanted) for name in LOSSES}
    assert (value["chamfer"] <= value["assignment"] + 1e-12).all()
    assert (value["assignment"] <= value["sorted"] + 1e-12).all()
    assert (value["assignment"] <= value["mse"] + 1e-12).all()


@pytest.mark.parametrize("name", sorted(LOSSES))
@pytest.mark.parametrize("k", [4, 8])
def test_on_the_oscillators_gradients_are_those_of_differences(name: str, k: int) -> None:
    loss = LOSSES[name](space_layout(KOsc(k).space))
    predicted, wanted = sides(3, 3 * k)
    predicted.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, wanted), (predicted,))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_gradients_are_finite_where_all_is_equal(name: str) -> None:
    predicted = torch.zeros(3, 12, requires_grad=True)
    LOSSES[name](layout(4, 3))(predicted, torch.zeros(3, 12)).sum().backward()
    assert predicted.grad is not None
    assert predicted.grad.tolist() == torch.zeros(3, 12).tolist()


@pytest.mark.parametrize("name", sorted(LOSSES))
@pytest.mark.parametrize("k", [3, 6])
def test_a_diverged_network_gives_nan_and_no_other_error(name: str, k: int) -> None:
    predicted, wanted = sides(3, 2 * k)
    predicted[1] = float("nan")
    result = LOSSES[name](layout(k, 2))(predicted, wanted)
    assert result.isnan().tolist() == [False, True, False]


@pytest.mark.parametrize("name", sorted(LOSSES))
@pytest.mark.parametrize("k", [4, 6])
def test_mixed_precision_changes_nothing(name: str, k: int) -> None:
    predicted, wanted = (one.float() for one in sides(20, 3 * k))
    loss = LOSSES[name](layout(k, 3))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = loss(predicted, wanted)
    assert torch.equal(mixed, loss(predicted, wanted))


@pytest.mark.parametrize("name", BLIND)
def test_groups_of_blocks_are_ordered_apart(name: str) -> None:
    # Columns 0 and 1 exchange, and 2 and 3 do, each without the other.
    apart = Layout(("a", "b", "c", "d"), ("continuous",) * 4, (0,) * 4, ((1, 0, 2, 3), (0, 1, 3, 2)))
    wanted = torch.tensor([[0.9, 0.1, 0.3, 0.7]])
    predicted = torch.tensor([[0.1, 0.9, 0.3, 0.7]])
    assert LOSSES[name](apart)(predicted, wanted).item() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("name", BLIND)
def test_a_layout_without_symmetries_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="take mse"):
        LOSSES[name](Layout(("a", "b"), ("continuous",) * 2, (0, 0)))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_loss_adds_nothing_to_a_checkpoint(name: str) -> None:
    assert LOSSES[name](layout(3, 2, 1)).state_dict() == {}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", sorted(LOSSES))
@pytest.mark.parametrize("k", [4, 8])
def test_a_loss_is_the_same_on_a_device(name: str, k: int) -> None:
    predicted, wanted = sides(10, 3 * k)
    loss = LOSSES[name](layout(k, 3))
    here = loss(predicted, wanted)
    torch.testing.assert_close(loss.cuda()(predicted.cuda(), wanted.cuda()).cpu(), here)
