"""Batches that are prepared in a thread."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from small_model import QUIET
from tiny_inverter import fit, same, tensor_data, tensor_record, tiny_module

from wav2patch.errors import UserError
from wav2patch.models.noise import Noise
from wav2patch.training.ahead import AheadLoader
from wav2patch.training.clips import Batch
from wav2patch.training.loader import Loader
from wav2patch.training.sampler import EndlessOrder, EpochOrder

pytestmark = [pytest.mark.filterwarnings(one) for one in QUIET]

NAME = "prepared batches"


class Numbers(Loader):
    """Batches that hold their own rows."""

    error_at: int | None = None
    closed = False

    def batches(self, epoch: int, start: int) -> Iterator[Batch]:
        for number in itertools.count(start):
            if number == self.order.batches:
                return
            if number == self.error_at:
                raise UserError("the disk is gone.")
            yield {"index": torch.from_numpy(self.order.rows(epoch, number))}

    def close(self) -> None:
        self.closed = True


def twice(batch: Batch, epoch: int) -> Batch:
    here: Any = threading.current_thread().name.rpartition("_")[0]
    return {**batch, "double": batch["index"] * 2 + epoch, "thread": here}


def inner(batches: int | None = 5) -> Numbers:
    return Numbers(EndlessOrder(3, batches))


def threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith(NAME)]


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_all_batches_come_in_order_and_from_threads(workers: int) -> None:
    loader = AheadLoader(inner(), twice, threads=workers)
    for epoch in range(3):
        found = list(loader)
        rows = torch.arange(15) + 15 * epoch
        assert torch.equal(torch.cat([batch["index"] for batch in found]), rows)
        assert torch.equal(torch.cat([batch["double"] for batch in found]), rows * 2 + epoch)
        assert [batch["thread"] for batch in found] == 5 * [NAME]
    assert not threads()


@pytest.mark.parametrize("batches", [0, 1])
def test_short_epochs(batches: int) -> None:
    loader = AheadLoader(Numbers(EpochOrder(batches, 1)), twice)
    assert len(list(loader)) == batches == len(loader)


def test_what_was_prepared_and_not_taken_does_not_count() -> None:
    loader = AheadLoader(inner(), twice, ahead=3)
    first = [batch["index"].tolist() for batch in itertools.islice(loader, 2)]
    again = AheadLoader(inner(), twice)
    again.load_state_dict(loader.state_dict())
    rest = [batch["index"].tolist() for batch in again]
    assert first + rest == [[3 * n, 3 * n + 1, 3 * n + 2] for n in range(5)]
    with pytest.raises(UserError, match="had other batches"):
        AheadLoader(Numbers(EndlessOrder(4, 5)), twice).load_state_dict(loader.state_dict())


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_than_the_wanted_batches_are_prepared(workers: int) -> None:
    done: list[int] = []

    def note(batch: Batch, epoch: int) -> Batch:
        done.append(int(batch["index"][0]) // 3)
        return batch

    running = iter(AheadLoader(inner(None), note, ahead=2, threads=workers))
    next(running)
    deadline = time.monotonic() + 5.0
    while len(done) < 3 + workers and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    # One is in use, two are ready, and those that were prepared side by side wait for room.
    assert sorted(done) == list(range(3 + workers))
    running.close()  # type: ignore[attr-defined]
    assert not threads()


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("at", [0, 3])
def test_errors_of_the_data_come_through(at: int, workers: int) -> None:
    source = inner()
    source.error_at = at
    running = iter(AheadLoader(source, twice, threads=workers))
    for _ in range(at):
        next(running)
    with pytest.raises(UserError, match="the disk is gone"):
        next(running)
    assert not threads()


def test_errors_of_the_preparation_come_through() -> None:
    def refuse(batch: Batch, epoch: int) -> Batch:
        if 9 in batch["index"]:
            raise ValueError("nine")
        return batch

    with pytest.raises(ValueError, match="nine"):
        list(AheadLoader(inner(), refuse))
    assert not threads()


def test_closing_ends_the_thread_and_what_is_below() -> None:
    source = inner(None)
    loader = AheadLoader(source, twice)
    running = iter(loader)
    next(running)
    assert threads()
    loader.close()
    assert source.closed
    assert not threads()


def test_training_takes_what_the_thread_coupled(tmp_path: Path) -> None:
    data = tensor_data()
    module, plain = tiny_module(tensor_record(data)), tiny_module(tensor_record(data))
    fit(tmp_path, module, data, max_steps=9)
    assert module.inverter.threads - {"MainThread"}
    assert all(name.startswith(NAME) for name in module.inverter.threads - {"MainThread"})
    assert data.prepare is None
    assert not threads()

    # The same in the training thread.
    other = tensor_data()
    plain.setup = lambda stage: None
    other.prepare = None
    fit(tmp_path, plain, other, max_steps=9)
    assert plain.inverter.threads == {"MainThread"}
    assert same(module.state_dict(), plain.state_dict())


def test_a_sentence_from_the_thread_ends_the_run(tmp_path: Path) -> None:
    data = tensor_data()
    module = tiny_module(tensor_record(data))
    whole = module.inverter.prepare

    def refuse(examples: Any, noise: Noise) -> Any:
        if 16 * 4 in noise.rows:
            raise UserError("this cannot be coupled.")
        return whole(examples, noise)

    module.inverter.prepare = refuse
    with pytest.raises(UserError, match="cannot be coupled"):
        fit(tmp_path, module, data, max_steps=9, limit_val_batches=0)
    assert not threads()
