from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from torch import Tensor

from wav2patch.models.couplings import (
    COUPLINGS,
    Coupling,
    HungarianCoupling,
    IndependentCoupling,
    SinkhornCoupling,
    log_plan,
    rounded,
    squared_distances,
)

NAMES = sorted(COUPLINGS)


def batch(n: int, width: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = np.random.default_rng([seed, n, width])
    start, end = generator.normal(size=(n, width)), generator.uniform(-1, 1, (n, width))
    return torch.from_numpy(start).float(), torch.from_numpy(end).float()


def cost(start: Tensor, end: Tensor) -> float:
    return (start.double() - end.double()).square().sum().item()


def order_of(coupled: Tensor, start: Tensor) -> list[int]:
    return [int((start == row).all(dim=1).nonzero().item()) for row in coupled]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [1, 2, 33])
def test_every_row_of_the_noise_comes_back_once(name: str, n: int) -> None:
    start, end = batch(n, 5)
    untouched = end.clone()
    coupled = COUPLINGS[name]()(start, end)
    assert sorted(order_of(coupled, start)) == list(range(n))
    assert coupled.dtype == start.dtype
    assert torch.equal(end, untouched)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_batch_is_paired_alike_and_no_generator_moves(name: str) -> None:
    start, end = batch(40, 6)
    state = torch.get_rng_state()
    assert torch.equal(COUPLINGS[name]()(start, end), COUPLINGS[name]()(start, end))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", ["hungarian", "sinkhorn"])
def test_noise_goes_with_rows_wherever_they_are(name: str) -> None:
    start, end = batch(30, 4)
    moved = torch.from_numpy(np.random.default_rng([3, 0]).permutation(30))
    torch.testing.assert_close(COUPLINGS[name]()(start, end[moved]), COUPLINGS[name]()(start, end)[moved])


@given(st.integers(1, 7), st.integers(1, 4), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_hungarian_is_optimal_by_brute_force(n: int, width: int, seed: int) -> None:
    start, end = batch(n, width, seed)
    least = min(cost(start[list(order)], end) for order in permutations(range(n)))
    assert cost(HungarianCoupling()(start, end), end) == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize(("n", "width"), [(100, 3), (200, 92)])
def test_hungarian_costs_what_an_exact_cost_matrix_gives(n: int, width: int) -> None:
    start, end = batch(n, width)
    exact = cdist(start.double().numpy(), end.double().numpy(), "sqeuclidean")
    least = exact[linear_sum_assignment(exact)].sum()
    assert cost(HungarianCoupling()(start, end), end) == pytest.approx(least, rel=1e-6)


def test_independent_leaves_noise_as_it_is() -> None:
    start, end = batch(9, 3)
    assert torch.equal(IndependentCoupling()(start, end), start)


@pytest.mark.parametrize("width", [2, 12, 92])
def test_sinkhorn_saves_nearly_what_the_optimum_saves(width: int) -> None:
    start, end = batch(128, width)
    least, most = cost(HungarianCoupling()(start, end), end), cost(start, end)
    assert least <= cost(SinkhornCoupling()(start, end), end) <= least + 0.08 * (most - least)


@pytest.mark.parametrize("seed", range(5))
def test_sinkhorn_with_little_entropy_is_optimal(seed: int) -> None:
    start, end = batch(6, 3, seed)
    coupling = SinkhornCoupling(epsilon=1e-3, iterations=3000)
    assert order_of(coupling(start, end), start) == order_of(HungarianCoupling()(start, end), start)


def test_the_plan_has_even_margins() -> None:
    generator = np.random.default_rng([4, 0])
    costs = torch.from_numpy(generator.uniform(size=(20, 20)))
    plan = log_plan(costs, 0.1, 200).exp()
    torch.testing.assert_close(plan.sum(dim=0), torch.ones(20, dtype=torch.float64))
    torch.testing.assert_close(plan.sum(dim=1), torch.ones(20, dtype=torch.float64), rtol=1e-8, atol=0)
    # Gibbs form: log P + c/ε is a sum of a row's and a column's number.
    rest = plan.log() + costs / 0.1
    mixed = rest - rest[:1] - rest[:, :1] + rest[0, 0]
    torch.testing.assert_close(mixed, torch.zeros_like(mixed), rtol=0, atol=1e-9)


@given(st.integers(1, 12), st.integers(0, 10_000), st.integers(1, 5))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_rounding_takes_the_largest_entry_of_what_is_left(n: int, seed: int, levels: int) -> None:
    # Few levels make ties, of which the first entry counts.
    plan = np.random.default_rng([5, seed]).integers(0, 3**levels, (n, n)).astype(float)
    wanted, left = np.empty(n, int), plan.copy()
    for _ in range(n):
        row, column = np.unravel_index(left.argmax(), left.shape)
        wanted[row] = column
        left[row], left[:, column] = -1.0, -1.0
    got = rounded(torch.from_numpy(plan)).numpy()
    np.testing.assert_array_equal(got, wanted)


def test_rounding_of_a_worked_plan() -> None:
    plan = torch.tensor([[0.5, 0.4, 0.1], [0.6, 0.1, 0.3], [0.2, 0.3, 0.25]])
    # 0.6 first, then 0.4 in what is left, then 0.25.
    assert rounded(plan).tolist() == [1, 0, 2]


@pytest.mark.parametrize("name", ["hungarian", "sinkhorn"])
def test_equal_examples_are_paired_too(name: str) -> None:
    start, _ = batch(16, 4)
    coupled = COUPLINGS[name]()(start, torch.zeros(16, 4))
    assert sorted(order_of(coupled, start)) == list(range(16))


@pytest.mark.parametrize("name", ["hungarian", "sinkhorn"])
def test_mixed_precision_changes_no_pair(name: str) -> None:
    start, end = batch(64, 12)
    coupling: Coupling = COUPLINGS[name]()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = coupling(start, end)
    assert torch.equal(mixed, coupling(start, end))
    coarse = coupling(start.bfloat16(), end)
    assert coarse.dtype == torch.bfloat16


@pytest.mark.parametrize("name", ["hungarian", "sinkhorn"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_refused(name: str, bad: float) -> None:
    start, end = batch(4, 3)
    end[2, 1] = bad
    with pytest.raises(ValueError, match="finite"):
        COUPLINGS[name]()(start, end)


def test_squared_distances_are_those_of_numpy() -> None:
    start, end = (one.double() for one in batch(7, 4))
    torch.testing.assert_close(
        squared_distances(start, end), torch.from_numpy(cdist(start.numpy(), end.numpy(), "sqeuclidean"))
    )


@pytest.mark.parametrize("wrong", [{"epsilon": 0.0}, {"iterations": 0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        SinkhornCoupling(**wrong)  # type: ignore[arg-type]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", NAMES)
def test_a_batch_stays_on_its_device(name: str) -> None:
    start, end = batch(50, 12)
    coupled = COUPLINGS[name]()(start.cuda(), end.cuda())
    assert coupled.is_cuda
    assert sorted(order_of(coupled.cpu(), start)) == list(range(50))
