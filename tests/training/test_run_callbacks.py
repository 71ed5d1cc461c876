"""What callbacks write, and how they end a run."""

from __future__ import annotations

import csv
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from small_model import QUIET
from tiny_inverter import SAMPLES, fit, load, same, tensor_data, tensor_record, tiny_module

from wav2patch.audio.files import read_audio
from wav2patch.errors import UserError
from wav2patch.models.layout import Layout
from wav2patch.notes import Note
from wav2patch.training.callbacks.assignment import AssignmentPictures, column_names, similarity
from wav2patch.training.callbacks.audio_examples import AudioExamples
from wav2patch.training.callbacks.averaging import Averaging
from wav2patch.training.callbacks.checkpoints import BEST, LAST, Checkpoints, WholeFiles
from wav2patch.training.callbacks.loss_by_time import LossByTime, binned
from wav2patch.training.callbacks.per_parameter import ParameterErrors, parameter_errors
from wav2patch.training.callbacks.pictures import add_row
from wav2patch.training.callbacks.progress import Progress
from wav2patch.training.callbacks.stop_on_nan import StopOnNan

pytestmark = [pytest.mark.filterwarnings(one) for one in QUIET]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Call(Callback):
    """Calls something at a hook."""

    def __init__(self, hook: str, what: Any) -> None:
        setattr(self, hook, what)


def test_the_mean_of_the_weights_is_that_of_their_history(tmp_path: Path) -> None:
    data, history = tensor_data(val_rows=0), []
    module = tiny_module(tensor_record(data))
    start = {name: value.clone() for name, value in module.state_dict().items()}

    def note(trainer: Any, *_: Any) -> None:
        history.append({name: value.clone() for name, value in module.state_dict().items()})

    fit(tmp_path, module, data, callbacks=[Call("on_train_batch_end", note), Averaging(0.5)], max_steps=12)
    expected = start
    for number, weights in enumerate(history, start=1):
        decay = min(0.5, (1 + number) / (10 + number))
        expected = {name: decay * expected[name] + (1 - decay) * weights[name] for name in weights}
    for name, value in module.state_dict().items():
        assert torch.allclose(value, expected[name], atol=1e-6)
        assert not torch.equal(value, history[-1][name])
    with pytest.raises(ValueError, match="decay"):
        Averaging(1.0)


def test_the_mean_is_validated_and_the_rest_trained_on(tmp_path: Path) -> None:
    seen: dict[str, list[Any]] = {"train": [], "val": []}
    data, averaging = tensor_data(), Averaging(0.9)
    module = tiny_module(tensor_record(data))

    def note(where: str) -> Any:
        return lambda *_: seen[where].append({name: value.clone() for name, value in module.state_dict().items()})

    calls = [Call("on_train_batch_end", note("train")), Call("on_validation_batch_end", note("val"))]
    fit(tmp_path, module, data, callbacks=[averaging, *calls], max_epochs=2)
    plain = tiny_module(tensor_record(data))
    alone: list[Any] = []
    fit(
        tmp_path, plain, tensor_data(), max_epochs=2,
        callbacks=[Call("on_train_batch_end", lambda *_: alone.append(
            {name: value.clone() for name, value in plain.state_dict().items()}))],
    )  # fmt: skip
    assert same(seen["train"], alone)
    assert not same(seen["val"][-1], seen["train"][-1])
    assert same(seen["val"][-1], module.state_dict())


def test_a_run_without_a_mean_can_go_on_with_one(tmp_path: Path) -> None:
    data = tensor_data(val_rows=0)
    trainer = fit(tmp_path, tiny_module(tensor_record(data)), data, max_steps=3)
    trainer.save_checkpoint(tmp_path / "plain.ckpt")
    begun: list[bool] = []
    averaging = Averaging()
    module = tiny_module(tensor_record(data))
    plain = load(tmp_path / "plain.ckpt")["state_dict"]
    calls = [averaging, Call("on_train_start", lambda *_: begun.append(same(averaging._other, plain)))]
    fit(tmp_path, module, tensor_data(val_rows=0), callbacks=calls, resume=tmp_path / "plain.ckpt", max_steps=5)
    assert begun == [True]


def test_the_best_and_the_last_checkpoint_are_kept(tmp_path: Path) -> None:
    data, losses = tensor_data(), {}
    keeping = Checkpoints(tmp_path, every=5)
    module = tiny_module(tensor_record(data), learning_rate=0.05)
    look = Call(
        "on_validation_end",
        lambda trainer, *_: losses.update({trainer.global_step: float(trainer.callback_metrics["val/loss"])}),
    )
    fit(tmp_path, module, data, callbacks=[keeping, look], max_steps=24)
    assert sorted(losses) == [7, 14, 21]
    best = min(losses, key=lambda step: losses[step])
    assert load(keeping.best_path)["global_step"] == best
    assert keeping.best == losses[best]
    assert load(keeping.last_path)["global_step"] == 24
    assert sorted(path.name for path in tmp_path.glob("*")) == [BEST, LAST]


def test_a_figure_that_is_not_there_is_named(tmp_path: Path) -> None:
    data = tensor_data()
    with pytest.raises(UserError, match=r"no figure called val/lost .* train/loss, .*val/loss"):
        fit(
            tmp_path, tiny_module(tensor_record(data)), data, callbacks=[Checkpoints(tmp_path, 5, "val/lost")],
            max_epochs=1,
        )  # fmt: skip


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path, bad: float) -> None:
    data = tensor_data(val_rows=0)
    module = tiny_module(tensor_record(data))

    def spoil(trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if trainer.global_step == 6:
            batch["start"] = batch["start"] * bad

    keeping = Checkpoints(tmp_path, every=4)
    with pytest.raises(
        UserError, match=r"no finite number any more at step 6: .* lower learning rate than 0\.003"
    ) as e:
        fit(tmp_path, module, data, callbacks=[Call("on_train_batch_start", spoil), StopOnNan(), keeping], max_steps=20)
    assert str(e.value).count(".") - str(e.value).count("0.") == 1
    assert load(tmp_path / LAST)["global_step"] == 4
    assert all(torch.isfinite(value).all() for value in module.state_dict().values())


def test_no_checkpoint_is_written_of_a_bad_loss_that_was_not_looked_at_yet(tmp_path: Path) -> None:
    stop = StopOnNan(every=100)
    trainer: Any = type("Trainer", (), {"global_step": 3})()
    module: Any = type("Module", (), {"learning_rate": 1e-3})()
    loss = torch.tensor(float("nan"))
    stop._look = lambda module: None  # as on a GPU, which is not waited for
    stop.on_before_backward(trainer, module, loss)
    trainer.global_step = 4
    stop.on_before_backward(trainer, module, loss)
    del stop._look
    with pytest.raises(UserError, match="at step 3"):
        stop.on_save_checkpoint(trainer, module, {})


def limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.fixture
def _limits() -> Iterator[None]:
    """Lets a test limit how large files may be, and lifts the limit."""
    limit, handler = resource.getrlimit(resource.RLIMIT_FSIZE)[0], signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield
    limit_files(limit)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("_limits")
def test_a_full_disk_is_one_sentence_and_costs_no_checkpoint(tmp_path: Path) -> None:
    def grow(trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:
        checkpoint["more"] = torch.zeros(500_000)

    def fill(trainer: Any, *_: Any) -> None:
        if trainer.global_step == 6:
            limit_files(1_000_000)

    calls = [Call("on_save_checkpoint", grow), Call("on_train_batch_start", fill), Checkpoints(tmp_path, every=4)]
    data = tensor_data(val_rows=0)
    with pytest.raises(UserError) as error:
        fit(tmp_path, tiny_module(tensor_record(data)), data, callbacks=calls, max_steps=20)
    assert str(error.value) == f"{tmp_path / LAST} could not be written: File too large."
    assert load(tmp_path / LAST)["global_step"] == 4
    assert [path.name for path in tmp_path.iterdir()] == [LAST]


def test_other_errors_while_writing_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises((AttributeError, TypeError, RuntimeError)):
        WholeFiles().save_checkpoint({"a": (one for one in ())}, tmp_path / "a.ckpt")
    assert not list(tmp_path.iterdir())


LAYOUT = Layout(("a", "b", "c"), ("continuous", "categorical", "discrete"), (0, 3, 5))


def test_errors_of_parameters() -> None:
    wanted = torch.tensor([[0.0, 1, -1, -1, 0.5], [1.0, -1, 1, -1, -1.0]])
    proposed = torch.tensor([[0.5, 0.3, 0.2, 0.1, 0.5], [3.0, 0.1, 0.0, 0.2, 0.0]])
    expected = torch.tensor([[0.25, 0.0, 0.0], [0.0, 1.0, 0.5]])
    assert torch.equal(parameter_errors(LAYOUT, proposed, wanted), expected)


def test_parameters_are_told_by_name(tmp_path: Path) -> None:
    data = tensor_data()
    module = tiny_module(tensor_record(data))
    logger = CSVLogger(tmp_path)
    told = ParameterErrors(tmp_path, rows=20, worst=2)
    fit(tmp_path, module, data, callbacks=[told], logger=logger, max_epochs=2, log_every_n_steps=2)
    rows = table(tmp_path / "parameter_errors.csv")
    names = data.synth.space.names
    assert [tuple(row) for row in rows] == 2 * [("step", *names)]
    assert [row["step"] for row in rows] == ["7", "14"]
    logged = [row for row in table(Path(logger.log_dir) / "metrics.csv") if row["val/parameter_error"]]
    means = [np.mean([float(row[name]) for name in names]) for row in rows]
    assert [float(row["val/parameter_error"]) for row in logged] == pytest.approx(means, abs=1e-5)
    errors = {name: float(rows[1][name]) for name in names}
    worst = sorted(errors, key=lambda name: -errors[name])[:2]
    assert all(
        float(logged[1][f"val/parameter_error/{name}"]) == pytest.approx(errors[name], abs=1e-5) for name in worst
    )


def test_a_table_forgets_what_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    for step, values in ((5, {"a": 1.0}), (10, {"a": 2.0, "b": 0.5}), (15, {"a": 3.0}), (10, {"a": 4.0})):
        add_row(path, step, values)
    assert table(path) == [{"step": "5", "a": "1", "b": ""}, {"step": "10", "a": "4", "b": ""}]


def test_losses_are_sorted_by_time() -> None:
    found = binned(torch.tensor([1.0, 2.0, 4.0, 8.0]), torch.tensor([0.0, 0.24, 0.25, 1.0]), 4)
    assert found.tolist() == [[3.0, 4.0, 0.0, 8.0], [2.0, 1.0, 0.0, 1.0]]


def test_losses_by_time_are_those_of_the_validation(tmp_path: Path) -> None:
    data = tensor_data(val_rows=200)
    module = tiny_module(tensor_record(data), learning_rate=0.0)
    trainer = fit(tmp_path, module, data, callbacks=[LossByTime(tmp_path, bins=1)], max_epochs=1)
    (row,) = table(tmp_path / "loss_by_time.csv")
    assert float(row["t=0.500"]) == pytest.approx(float(trainer.callback_metrics["val/loss"]), rel=1e-4)
    assert matplotlib.image.imread(tmp_path / "pictures" / "loss_by_time.png").shape == (350, 600, 4)


def test_assignments_are_drawn(tmp_path: Path) -> None:
    data = tensor_data()
    module = tiny_module(tensor_record(data))
    fit(tmp_path, module, data, callbacks=[AssignmentPictures(tmp_path)], max_epochs=1)
    assert not list(tmp_path.iterdir())

    field = module.inverter.field
    field.assignment = torch.nn.Parameter(torch.eye(4, 12))
    field.embedding_in, field.embedding_out = torch.randn(12, 3), torch.randn(12, 3)
    logger = TensorBoardLogger(tmp_path / "tensorboard", name="", version="")
    fit(tmp_path, module, tensor_data(), callbacks=[AssignmentPictures(tmp_path)], logger=logger, max_epochs=1)
    pictures = sorted((tmp_path / "pictures").iterdir())
    assert [path.name for path in pictures] == ["assignment.png", "similarity_in.png", "similarity_out.png"]
    assert all(matplotlib.image.imread(path).std() > 0.01 for path in pictures)
    assert same_tags(tmp_path / "tensorboard", "images") == [f"field/{path.stem}" for path in pictures]


def same_tags(folder: Path, kind: str) -> list[str]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return sorted(events.Tags()[kind])


def test_names_and_cosines_of_columns() -> None:
    assert column_names(LAYOUT) == ["a", "b [0]", "b [1]", "b [2]", "c"]
    rows = torch.tensor([[1.0, 0.0], [2.0, 2.0], [0.0, -3.0]])
    wanted = [[1.0, 0.5**0.5, 0.0], [0.5**0.5, 1.0, -(0.5**0.5)], [0.0, -(0.5**0.5), 1.0]]
    assert np.allclose(similarity(rows), wanted, atol=1e-6)


def test_examples_sound_as_the_synth_plays_them(tmp_path: Path) -> None:
    data = tensor_data()
    module = tiny_module(tensor_record(data))
    logger = TensorBoardLogger(tmp_path / "tensorboard", name="", version="")
    fit(tmp_path, module, data, callbacks=[AudioExamples(tmp_path, rows=2)], logger=logger, max_epochs=1)
    names = [f"{number:02d}_{what}" for number in range(2) for what in ("proposal", "target")]
    assert sorted(path.stem for path in (tmp_path / "audio").iterdir()) == names
    assert same_tags(tmp_path / "tensorboard", "audio") == [f"val/{name}" for name in names]
    batch = next(iter(data.val_dataloader()))
    for number in range(2):
        patch = batch["patches"][number].numpy().astype(np.float64)
        expected = data.synth.render(patch, Note(), length=SAMPLES / 44_100, sample_rate=44_100)
        heard, rate = read_audio(tmp_path / "audio" / f"{number:02d}_target.wav")
        assert rate == 44_100
        assert np.abs(heard - expected).max() < 1e-3
    assert matplotlib.image.imread(tmp_path / "pictures" / "audio.png").std() > 0.01


def test_rows_are_shown_every_few_validations(tmp_path: Path) -> None:
    data = tensor_data()
    shown = ParameterErrors(tmp_path, rows=4)
    shown.every = 2
    fit(tmp_path, tiny_module(tensor_record(data)), data, callbacks=[shown], max_epochs=3)
    assert [row["step"] for row in table(tmp_path / "parameter_errors.csv")] == ["7", "21"]
    assert shown.state_dict() == {"validations": 3}


def test_a_synth_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tensor_data()
    monkeypatch.setattr(type(data.synth), "missing", lambda self: "it lacks its engine: install it.")
    with pytest.raises(UserError, match="no audio examples: it lacks its engine"):
        fit(tmp_path, tiny_module(tensor_record(data)), data, callbacks=[AudioExamples(tmp_path)], max_epochs=1)


def test_progress_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tensor_data()
    module = tiny_module(tensor_record(data))
    fit(tmp_path, module, data, callbacks=[Progress()], max_epochs=1, enable_progress_bar=True)
    shown = capsys.readouterr()
    assert "train/loss" in shown.out
    assert "v_num" not in shown.out
