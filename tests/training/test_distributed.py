"""Two processes that train together, and one that trains on the same global batches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from small_model import QUIET, SmallModel, make_trainer, ready_model

from wav2patch.training.data_module import ClipData

pytestmark = [pytest.mark.filterwarnings(one) for one in QUIET]

MEL_SIZE = 128 * 11


class Telling(SmallModel):
    """Writes down what each rank saw."""

    folder: Path

    def on_fit_end(self) -> None:
        seen = {"seen": self.seen, "validated": self.validated}
        (self.folder / f"rank-{self.global_rank}.json").write_text(json.dumps(seen), encoding="utf-8")


def test_two_processes_train_as_one_does(finished_set: Path, tmp_path: Path) -> None:
    alone = ready_model(MEL_SIZE)
    make_trainer(finished_set, max_epochs=2).fit(alone, datamodule=ClipData(finished_set, batch_size=8, num_workers=0))

    together = Telling()
    together.layer(torch.zeros(1, MEL_SIZE))
    together.folder = tmp_path
    trainer = make_trainer(finished_set, max_epochs=2, devices=2, strategy="ddp_fork")
    trainer.fit(together, datamodule=ClipData(finished_set, batch_size=4, num_workers=0))

    ranks = [json.loads((tmp_path / f"rank-{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1)]
    for whole, first, second in zip(alone.seen, ranks[0]["seen"], ranks[1]["seen"], strict=True):
        assert whole[0::2] == first
        assert whole[1::2] == second
    assert sorted(ranks[0]["validated"] + ranks[1]["validated"]) == sorted(alone.validated)
    for name, value in alone.state_dict().items():
        assert torch.allclose(together.state_dict()[name], value, atol=1e-5)
