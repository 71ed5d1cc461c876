from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from wav2patch.datasets.recipes.recipe import shard_name
from wav2patch.datasets.views.view import open_view
from wav2patch.errors import UserError
from wav2patch.training.clips import ClipDataset
from wav2patch.training.loader import RowLoader
from wav2patch.training.sampler import EndlessOrder, EpochOrder, Rows

MEL = "features/log_mel"


class Numbers:
    """Rows that are their own numbers."""

    def __getitems__(self, rows: Rows) -> dict[str, torch.Tensor]:
        return {"index": torch.as_tensor(rows)}


def passes(loader: RowLoader, batches: int) -> list[list[int]]:
    """So many batches, over as many passes as it takes."""
    found: list[list[int]] = []
    while len(found) < batches:
        for batch in loader:
            found.append(batch["index"].tolist())
            if len(found) == batches:
                break
    return found


def test_a_batch_is_what_the_view_has(finished_set: Path) -> None:
    view = open_view(finished_set / "train.h5")
    clips = ClipDataset(view, ["audio", MEL])
    rows = [30, 2, 17, 2]
    batch = clips.__getitems__(rows)
    assert {name: value.dtype for name, value in batch.items()} == {
        "parameters": torch.float32,
        "notes": torch.float32,
        "index": torch.int64,
        "audio": torch.float16,
        MEL: torch.float16,
    }
    for name, value in batch.items():
        expected = view.read(name, rows)
        assert np.array_equal(value.numpy(), expected.astype(np.float32) if name == "notes" else expected)
    assert batch["index"].tolist() == rows
    assert all(torch.equal(value, batch[name][2]) for name, value in clips[17].items())
    assert len(clips) == 37


@pytest.mark.parametrize("held", [37 * 200, 37 * 2_000, 2**30])
def test_what_is_held_in_memory_reads_as_what_is_not(finished_set: Path, held: int) -> None:
    view = open_view(finished_set / "train.h5")
    clips, plain = ClipDataset(view, ["audio", MEL], held), ClipDataset(view, ["audio", MEL])
    kept = sum(field.nbytes for field in clips.hold().values())
    assert 0 < kept <= held
    assert not plain.hold()
    assert {"index", "notes"} <= clips.hold().keys()
    assert ("audio" in clips.hold()) == (held == 2**30)
    for rows in ([30, 2, 17, 2], [0, 1, 2], [-1]):
        mine, theirs = clips.__getitems__(rows), plain.__getitems__(rows)
        assert list(mine) == list(theirs)
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    with pytest.raises(IndexError):
        clips.__getitems__([37])


def test_what_is_held_is_not_sent_along(finished_set: Path) -> None:
    clips = ClipDataset(open_view(finished_set / "train.h5"), [MEL], 2**30)
    clips.hold()
    sent = pickle.dumps(clips)
    assert len(sent) < clips.hold()[MEL].nbytes / 10
    assert torch.equal(pickle.loads(sent)[3]["parameters"], clips[3]["parameters"])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_read_the_same_however_they_are_started(finished_set: Path, method: str) -> None:
    clips = ClipDataset(open_view(finished_set / "train.h5"), [MEL], 37 * 2_000)
    clips[0]  # a file is open as workers are forked
    order = EpochOrder(37, 16)
    alone, helped = RowLoader(clips, order), RowLoader(clips, order, num_workers=2, start_method=method)
    for mine, theirs in zip(alone, helped, strict=True):
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    helped.close()


def test_pytorchs_own_loader_takes_it(finished_set: Path) -> None:
    clips = ClipDataset(open_view(finished_set / "train.h5"), [MEL])
    batches = list(DataLoader(clips, batch_size=10, collate_fn=clips.collate))
    assert torch.cat([batch["index"] for batch in batches]).tolist() == list(range(37))


def test_fields_that_are_not_there_are_refused(finished_set: Path) -> None:
    with pytest.raises(UserError, match="has no features/chroma: choose from attempt, audio, "):
        ClipDataset(open_view(finished_set / "train.h5"), ["features/chroma"])


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("stop", [0, 1, 3, 4, 5, 9])
def test_a_loader_goes_on_where_another_stopped(workers: int, stop: int) -> None:
    def loader() -> RowLoader:
        return RowLoader(Numbers(), EpochOrder(18, 4), num_workers=workers)

    whole, first, second = passes(loader(), 13), loader(), loader()
    begun = passes(first, stop)
    second.load_state_dict(first.state_dict())
    assert begun + passes(second, 13 - stop) == whole
    first.close()
    second.close()


def test_what_workers_read_ahead_does_not_count() -> None:
    loader = RowLoader(Numbers(), EpochOrder(40, 4), num_workers=2, prefetch_factor=4)
    given = iter(loader)
    next(given)
    assert loader.state_dict()["batches"] == 1
    loader.close()


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("persistent", [True, False])
def test_a_pass_that_is_left_early_is_followed_by_the_next_epoch(workers: int, persistent: bool) -> None:
    order = EpochOrder(18, 4)
    loader = RowLoader(Numbers(), order, num_workers=workers, persistent_workers=persistent)
    next(iter(loader))
    assert next(iter(loader))["index"].tolist() == order.rows(1, 0).tolist()
    assert loader.state_dict() == {"epoch": 1, "batches": 1, "rows": 18, "global_batch": 4, "seed": 0}
    loader.close()
    assert len(list(loader)) == len(loader) == 4
    loader.close()


def test_an_endless_loader_has_no_length_and_goes_on() -> None:
    loader, other = (RowLoader(Numbers(), EndlessOrder(4)) for _ in range(2))
    assert passes(loader, 3)[-1] == [8, 9, 10, 11]
    other.load_state_dict(loader.state_dict())
    assert passes(other, 1) == [[12, 13, 14, 15]]
    with pytest.raises(TypeError):
        len(loader)


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (EpochOrder(19, 4), "rows 18, and now 19"),
        (EpochOrder(18, 5), "global_batch 4, and now 5"),
        (EpochOrder(18, 4, 1), "seed 0, and now 1"),
    ],
)
def test_a_state_of_other_batches_is_refused(order: EpochOrder, told: str) -> None:
    with pytest.raises(UserError, match=told):
        RowLoader(Numbers(), order).load_state_dict(RowLoader(Numbers(), EpochOrder(18, 4)).state_dict())


def test_a_state_of_other_data_is_refused() -> None:
    one, other = (RowLoader(Numbers(), EpochOrder(18, 4), marks={"data": mark}) for mark in ("a", "b"))
    with pytest.raises(UserError, match=r"data a, and now b\): give it the same data"):
        other.load_state_dict(one.state_dict())


@pytest.mark.parametrize("workers", [0, 1])
def test_a_shard_that_vanishes_is_named_in_one_sentence(own_set: Path, workers: int) -> None:
    clips = ClipDataset(open_view(own_set / "train.h5"), [MEL])
    (own_set / shard_name(1)).unlink()
    loader = RowLoader(clips, EpochOrder(37, 8), num_workers=workers)
    with pytest.raises(UserError, match=r"shard-000001\.h5") as caught:
        list(loader)
    assert "\n" not in str(caught.value)
    loader.close()


def test_the_global_generator_is_left_alone() -> None:
    torch.manual_seed(0)
    loader: Any = RowLoader(Numbers(), EpochOrder(18, 4), num_workers=1)
    list(loader)
    loader.close()
    drawn = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(drawn, torch.rand(1))
