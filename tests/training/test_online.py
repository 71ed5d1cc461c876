from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_model import FEATURE, QUIET, SmallModel, make_trainer

from wav2patch.datasets.recipes.wishes import Wishes
from wav2patch.datasets.shards.generate import generate
from wav2patch.datasets.storage.base import open_storage
from wav2patch.datasets.views.view import View, open_view
from wav2patch.errors import UserError
from wav2patch.rendering.base import Failure
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.synths.base import Synth
from wav2patch.training.clips import Batch
from wav2patch.training.online import OnlineData

pytestmark = [pytest.mark.filterwarnings(one) for one in QUIET]

# A gate that rejects about every third draw.
WISHES = Wishes(
    synth="dexed", count=48, shard_rows=20, seed=3, notes="wide", length=0.5, sample_rate=16_000, gate="-25"
)
MEL = (1, 128, 51)


def make(**options: Any) -> OnlineData:
    return OnlineData(WISHES, **({"batch_size": 6, "val_rows": 0, "workers": 1, "epoch_batches": 4} | options))


class Guess(SmallModel):
    """For the parameters of Dexed."""

    def __init__(self, columns: int, **options: Any) -> None:
        super().__init__(**options)
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(int(np.prod(MEL)), columns)


@pytest.fixture(scope="module")
def online() -> Iterator[OnlineData]:
    data = make(val_rows=10)
    yield data
    data.close()


@pytest.fixture(scope="module")
def stored(online: OnlineData, tmp_path_factory: pytest.TempPathFactory) -> View:
    """What `data generate` makes of the same wishes."""
    folder = tmp_path_factory.mktemp("stored")
    made = generate(online.plan, open_storage(folder), online.renderer)
    assert made.rejected["too quiet"] > 5
    return open_view(folder)


class OneAtATime(InlineRenderer):
    """Renders in whatever thread asks, one after the other."""

    def __init__(self, synth: Synth) -> None:
        super().__init__(synth)
        self._lock = threading.Lock()

    def map(self, *arguments: Any) -> list[Any]:
        with self._lock:
            return super().map(*arguments)


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renders take no time to start."""
    monkeypatch.setattr("wav2patch.training.online.make_renderer", lambda synth, *_, **__: OneAtATime(synth))


def take(data: OnlineData, batches: int) -> list[Batch]:
    loader = data.train_dataloader()
    return list(itertools.islice(itertools.chain.from_iterable(itertools.repeat(loader)), batches))


def test_rows_are_those_that_would_be_stored(online: OnlineData, stored: View) -> None:
    batches = take(online, 8)
    assert [batch["index"].tolist() for batch in batches] == [[*range(n, n + 6)] for n in range(0, 48, 6)]
    for name in ("parameters", "notes", "index", FEATURE):
        found = torch.cat([batch[name] for batch in batches]).numpy()
        expected = stored.read(name, slice(None))
        assert np.array_equal(found, expected.astype(np.float32) if name == "notes" else expected)


def test_validation_rows_come_from_another_list_and_stay(online: OnlineData, stored: View) -> None:
    first, second = (list(online.val_dataloader()) for _ in range(2))
    assert [len(batch["index"]) for batch in first] == [6, 4]
    assert all(one[FEATURE] is other[FEATURE] for one, other in zip(first, second, strict=True))
    rows = torch.cat([batch["parameters"] for batch in first]).numpy()
    theirs = stored.read("parameters", slice(None))
    assert not (rows[:, None] == theirs[None]).all(axis=2).any()


@pytest.mark.parametrize("seeds", [{"val_seed": 3}, {"test_seed": 3}, {"val_seed": 8, "test_seed": 8}])
def test_rows_are_never_shared(seeds: dict[str, int]) -> None:
    with pytest.raises(UserError, match="three different seeds"):
        make(**seeds)


@pytest.mark.usefixtures("at_hand")
def test_a_feature_beyond_the_wishes_is_computed_on_the_device(stored: View) -> None:
    data = make(features="log_mel_level", audio=True)
    with_audio = data.on_after_batch_transfer(take(data, 1)[0], 0)
    data.close()
    assert set(with_audio) == {"parameters", "notes", "index", "audio", "features/log_mel_level"}
    assert np.array_equal(with_audio["audio"].numpy(), stored.read("audio", slice(0, 6)).astype(np.float32))


class _Place:
    """What a data module asks a trainer for its rank."""

    def __init__(self, rank: int, world: int) -> None:
        self.global_rank, self.world_size = rank, world


@pytest.mark.usefixtures("at_hand")
def test_ranks_render_rows_of_their_own(online: OnlineData) -> None:
    shares = []
    for rank in (0, 1):
        data = make(val_rows=7)
        data.trainer = _Place(rank, 2)  # pyright: ignore[reportAttributeAccessIssue]
        held_out = [row for batch in data.val_dataloader() for row in batch["index"].tolist()]
        order = data.make_train_loader().order
        shares.append(([*order.rows(0, 0), *order.rows(0, 1)], held_out))
        data.close()
    assert sorted(shares[0][0] + shares[1][0]) == list(range(24))
    assert [held_out for _, held_out in shares] == [[0, 2, 4, 6], [1, 3, 5]]


@pytest.mark.usefixtures("at_hand")
@pytest.mark.parametrize("epoch_batches", [4, None])
def test_a_resumed_run_equals_one_that_was_not_stopped(
    tmp_path: Path, online: OnlineData, epoch_batches: int | None
) -> None:
    columns = len(online.plan.recipe.parameters)
    whole, begun, again = (Guess(columns) for _ in range(3))
    make_trainer(tmp_path, max_steps=10).fit(whole, datamodule=make(epoch_batches=epoch_batches))
    trainer = make_trainer(tmp_path, max_steps=6)
    trainer.fit(begun, datamodule=make(epoch_batches=epoch_batches))
    trainer.save_checkpoint(tmp_path / "kept.ckpt")
    make_trainer(tmp_path, max_steps=10).fit(
        again, datamodule=make(epoch_batches=epoch_batches), ckpt_path=str(tmp_path / "kept.ckpt")
    )
    assert begun.seen + again.seen == whole.seen
    assert whole.seen == [[*range(n, n + 6)] for n in range(0, 60, 6)]
    assert torch.equal(again.layer.weight, whole.layer.weight)


def test_a_run_that_fails_ends_its_workers(tmp_path: Path, online: OnlineData) -> None:
    before = set(threading.enumerate())
    data = make()
    with pytest.raises(RuntimeError, match="stopped"):
        make_trainer(tmp_path, max_steps=9).fit(Guess(len(online.plan.recipe.parameters), stop_at=2), datamodule=data)
    assert data._renderer is None
    ended = time.monotonic() + 10
    while set(threading.enumerate()) - before and time.monotonic() < ended:
        time.sleep(0.05)
    assert not set(threading.enumerate()) - before


def test_renders_that_all_fail_are_told_in_a_sentence(online: OnlineData, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(patches: list[Any], *_: Any) -> list[Failure]:
        return [Failure("the plug-in is gone")] * len(patches)

    monkeypatch.setattr(online.renderer, "map", fail)
    with pytest.raises(UserError, match=r"rejected every time .*the plug-in is gone") as caught:
        take(online, 1)
    assert "\n" not in str(caught.value)


_UNENDED = """
from wav2patch.datasets.recipes.wishes import Wishes
from wav2patch.training.online import OnlineData

if __name__ == "__main__":
    wishes = Wishes(synth="dexed", notes="wide", length=0.5, sample_rate=16_000)
    next(iter(OnlineData(wishes, batch_size=4, workers=1).train_dataloader()))
    print("one batch", flush=True)
"""


def test_a_program_that_just_ends_ends(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(_UNENDED, encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "one batch\n"
    assert not done.stderr
