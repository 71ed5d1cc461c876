import time

import pytest

from wav2patch.errors import UserError
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
    assert budget.allows(1000) == 1000
    budget.spend(1)
    time.sleep(0.06)
    assert budget.exhausted
    assert budget.allows(1) == 0


def test_however_short_the_time_something_is_rendered() -> None:
    budget = Budget(seconds=1e-6)
    time.sleep(0.001)
    assert budget.allows(64) == 64
    budget.spend(64)
    assert budget.allows(64) == 0


def test_the_first_limit_ends_it() -> None:
    budget = Budget(renders=5, seconds=1000.0)
    budget.spend(5)
    assert budget.exhausted


@pytest.mark.parametrize("limits", [{}, {"renders": 0}, {"seconds": -1.0}])
def test_a_budget_has_a_limit(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="limit above 0"):
        Budget(**limits)  # type: ignore[arg-type]
