import pytest
import torch

from wav2patch.models.paths import RectifiedPath

START = torch.tensor([[1.0, -2.0], [0.5, 3.0], [2.0, 2.0]], dtype=torch.float64)
END = torch.tensor([[0.0, 4.0], [1.0, -1.0], [0.2, 0.1]], dtype=torch.float64)


@pytest.mark.parametrize("sigma", [0.0, 0.1])
def test_a_path_leads_from_its_start_to_its_end(sigma: float) -> None:
    path = RectifiedPath(sigma)
    first, _ = path(START, END, torch.zeros(3, dtype=torch.float64))
    last, _ = path(START, END, torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(first, START)
    torch.testing.assert_close(last, END + sigma * START)


@pytest.mark.parametrize("sigma", [0.0, 0.1])
def test_the_velocity_is_the_derivative_of_the_point(sigma: float) -> None:
    path = RectifiedPath(sigma)
    times, later = torch.tensor([[0.1, 0.5, 0.9], [0.3, 0.6, 1.0]], dtype=torch.float64)
    # Lines are straight, so that differences are exact.
    wanted = (path(START, END, later)[0] - path(START, END, times)[0]) / (later - times)[:, None]
    _, velocity = path(START, END, times)
    torch.testing.assert_close(velocity, wanted)


def test_each_row_has_its_own_time() -> None:
    point, _ = RectifiedPath()(START, END, torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64))
    torch.testing.assert_close(point, torch.stack([START[0], (START[1] + END[1]) / 2, END[2]]))


@pytest.mark.parametrize("sigma", [-0.1, 1.0, float("nan")])
def test_a_share_out_of_range_is_refused(sigma: float) -> None:
    with pytest.raises(ValueError, match="sigma_min"):
        RectifiedPath(sigma)
