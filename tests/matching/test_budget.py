import time
from types import SimpleNamespace

import pytest

from wav2patch.errors import UserError
from wav2patch.matching import budget as budget_module
from wav2patch.matching.budget import Budget, parse_duration


@pytest.mark.parametrize(("text", "seconds"), [("60s", 60), ("90", 90), ("1.5m", 90), ("2 min", 120), ("1H", 3600)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5s", "fast", "5 parsecs", "1m30s"])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is not a duration"):
        parse_duration(text)


def test_renders_are_counted() -> None:
    budget = Budget(renders=10)
    assert budget.allows(8) == 8
    budget.spend(8)
    assert budget.allows(8) == 2
    assert budget.fraction == pytest.approx(0.8)
    budget.spend(2)
    assert budget.exhausted
    assert budget.allows(1) == 0


def test_seconds_pass() -> None:
    budget = Budget(seconds=0.05)
    # How fast renders are is not known yet.
    assert budget.allows(1000) == 16
    budget.spend(16)
    time.sleep(0.06)
    assert budget.exhausted
    assert budget.allows(1) == 0


def test_however_short_the_time_something_is_rendered() -> None:
    budget = Budget(seconds=1e-6)
    time.sleep(0.001)
    assert budget.allows(64) == 16
    budget.spend(16)
    assert budget.allows(64) == 0


@pytest.mark.usefixtures("_the_clock_stands")
def test_the_last_batch_ends_with_the_time() -> None:
    budget = at_a_rate(20.0, spent=58.0)
    assert budget.allows(64) == pytest.approx(40, abs=1)
    assert budget.allows(8) == 8


def test_the_first_limit_ends_it() -> None:
    budget = Budget(renders=5, seconds=1000.0)
    budget.spend(5)
    assert budget.exhausted


def at_a_rate(renders_a_second: float, seconds: float = 60.0, afterwards: int = 0, spent: float = 10.0) -> Budget:
    budget = Budget(seconds=seconds, afterwards=afterwards)
    budget._start = budget_module.time.monotonic() - spent
    budget.spend(round(renders_a_second * spent))
    return budget


@pytest.fixture
def _the_clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take its time between two lines."""
    now = time.monotonic()
    monkeypatch.setattr("wav2patch.matching.budget.time", SimpleNamespace(monotonic=lambda: now))


@pytest.mark.usefixtures("_the_clock_stands")
def test_seconds_are_set_aside_for_what_comes_afterwards() -> None:
    fast, slow = at_a_rate(500.0, afterwards=200), at_a_rate(20.0, afterwards=200)
    assert fast.fraction == pytest.approx(10 / 59.6, rel=1e-3)
    assert slow.fraction == pytest.approx(10 / 50, rel=1e-3)
    # Never more than a quarter, however slow.
    assert at_a_rate(1.0, afterwards=200).fraction == pytest.approx(10 / 45, rel=1e-3)


@pytest.mark.usefixtures("_the_clock_stands")
@pytest.mark.parametrize(("rate", "affordable"), [(500.0, 400), (20.0, 300), (1.0, 15)])
def test_what_comes_afterwards_fits_into_the_time_left(rate: float, affordable: int) -> None:
    assert at_a_rate(rate).affords(400) == pytest.approx(affordable, abs=1)


@pytest.mark.usefixtures("_the_clock_stands")
def test_little_is_afforded_when_the_time_is_over() -> None:
    assert at_a_rate(20.0, spent=60.0).affords(400) == 0
    assert at_a_rate(20.0).affords(400, most_seconds=5.0) == pytest.approx(100, abs=1)


def test_renders_alone_afford_everything_afterwards() -> None:
    budget = Budget(renders=100, afterwards=500)
    budget.spend(100)
    assert budget.affords(400) == 400


@pytest.mark.parametrize("limits", [{}, {"renders": 0}, {"seconds": -1.0}])
def test_a_budget_has_a_limit(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="limit above 0"):
        Budget(**limits)  # type: ignore[arg-type]
