"""Groups of columns as a padded table."""

from __future__ import annotations

import torch

from wav2patch.models.choices import Choices

COLUMNS = [slice(1, 3), slice(5, 9)]


def test_probabilities_of_each_group_sum_to_one() -> None:
    logits = torch.randn(6, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = Choices(COLUMNS, 10).log_probabilities(logits).exp()
    assert found.shape == (6, 2, 4)
    torch.testing.assert_close(found[:, 0, :2], logits[:, 1:3].softmax(-1))
    torch.testing.assert_close(found[:, 1], logits[:, 5:9].softmax(-1))
    assert (found[:, 0, 2:] == 0).all()


def test_cross_entropy_is_that_of_pytorch() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(5, 10, generator=generator, dtype=torch.float64)
    answers = torch.tensor([[0, 3], [1, 2], [1, 0], [0, 1], [1, 3]])
    one_hots = torch.full((5, 10), -1.0, dtype=torch.float64)
    for row, (first, second) in enumerate(answers.tolist()):
        one_hots[row, 1 + first] = one_hots[row, 5 + second] = 1.0
    found = Choices(COLUMNS, 10).cross_entropy(logits, one_hots)
    for group, column in enumerate(COLUMNS):
        wanted = torch.nn.functional.cross_entropy(logits[:, column], answers[:, group], reduction="none")
        torch.testing.assert_close(found[:, group], wanted)


def test_spread_puts_answers_back_where_they_were() -> None:
    choices = Choices(COLUMNS, 10)
    vector = torch.arange(20.0).view(2, 10)
    table = vector[:, choices.places.flatten()].unflatten(1, (2, 4))
    torch.testing.assert_close(choices.spread(table, vector), vector)
    inside = choices.spread(torch.full((2, 2, 4), -7.0), vector)
    assert (inside[0] == torch.tensor([0, -7, -7, 3, 4, -7, -7, -7, -7, 9.0])).all()


def test_no_groups_change_nothing() -> None:
    choices = Choices([], 4)
    assert choices.groups == 0
    assert not choices.inside.any()
