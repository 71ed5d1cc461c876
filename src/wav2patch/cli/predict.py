"""`wav2patch predict`: what a trained model makes of recordings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wav2patch.errors import UserError

if TYPE_CHECKING:
    from wav2patch.evaluation.prediction import Prediction, Recording
    from wav2patch.weights.record import Record


@dataclasses.dataclass(frozen=True, kw_only=True)
class Predicting:
    """Settings of `wav2patch predict`."""

    ckpt: Annotated[Path, "A checkpoint, or a model folder that `wav2patch export` made."]
    n: Annotated[int, "Proposals for each sound."] = 1
    finetune: Annotated[
        int, "Steps in which an InverSynth II finetunes its answer, each rendered once; prediction_1 is then the best."
    ] = 0
    seed: Annotated[int, "Another seed gives other proposals, where the model has chance."] = 0
    out: Annotated[Path, "Each sound gets a folder in here."] = Path("predictions")
    note: Annotated[str, "The note that is played: auto, 60 or C4."] = "auto"
    velocity: Annotated[int, "How hard the key is struck, 1 to 127."] = 100
    hold: Annotated[float | None, "Seconds that the key is held; as heard by default."] = None


def command(
    words: Annotated[
        list[str], typer.Argument(metavar="SOUND… KEY=VALUE…", help="Recordings, and settings; the table has all.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Let a trained model find the patch of a sound, without any search.

    For every SOUND, out/<sound>/ then holds the proposals as preset files and audio, parameters.csv, prediction.json
    and a picture of the spectrograms. `wav2patch match --proposer` searches on from there.

    Examples:
      wav2patch predict bass.wav ckpt=runs/dexed/flow/first/checkpoints/best.ckpt

      wav2patch predict bell.wav pad.flac ckpt=models/dexed n=8 seed=1 note=C4

      wav2patch predict bell.wav ckpt=runs/dexed_estimator/is2/first/checkpoints/last.ckpt finetune=30
    """
    from wav2patch.cli.console import fail, print_json, printable
    from wav2patch.cli.keys import read_keys
    from wav2patch.cli.sounds import own_folders
    from wav2patch.evaluation.prediction_files import as_dictionary

    sounds, settings = _sorted(words)
    wanted = read_keys(Predicting, settings)
    if not sounds:
        raise UserError("name the sounds to predict, such as bass.wav.")
    one_by_one = _way(wanted)
    done: list[tuple[Prediction, Path]] = []
    folders = own_folders(sounds, wanted.out)
    for sound, folder in folders:
        try:
            done.append((_predict_one(sound, folder, wanted, *one_by_one), folder))
        except UserError as error:
            fail(str(error))
            continue
        if not as_json:
            _say(*done[-1])
    if as_json:
        print_json({"predictions": [{"folder": printable(f), **as_dictionary(found)} for found, f in done]})
    if len(done) < len(folders):
        raise typer.Exit(2)


def _sorted(words: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Sounds and settings; a file that is there is a sound, whatever its name."""
    settings = [one for one in words if "=" in one and one.partition("=")[0].isidentifier() and not Path(one).exists()]
    return [Path(one) for one in words if one not in settings], settings


def _way(wanted: Predicting) -> tuple[Record, Callable[[Recording], Prediction]]:
    """What the model is, and how it answers a recording; it is loaded once for all."""
    from wav2patch.evaluation.prediction import load_model, predict
    from wav2patch.evaluation.prediction_finetuning import load_for_finetuning, predict_finetuned

    if not wanted.finetune:
        loaded = load_model(wanted.ckpt)
        return loaded.model.record, lambda recording: predict(loaded, recording, n=wanted.n, seed=wanted.seed)
    if wanted.finetune < 0:
        raise UserError(f"finetune is 1 step or more, not {wanted.finetune}.")
    if wanted.n != 1:
        raise UserError("finetune=… gives one answer and the one before: leave n=… out.")
    trained = load_for_finetuning(wanted.ckpt)
    return trained.record, lambda recording: predict_finetuned(trained, recording, steps=wanted.finetune)


def _predict_one(
    sound: Path, folder: Path, wanted: Predicting, record: Record, answer: Callable[[Recording], Prediction]
) -> Prediction:
    from wav2patch.evaluation.prediction import hear
    from wav2patch.evaluation.prediction_files import save_prediction
    from wav2patch.files import check_folder

    recording = hear(sound, record, note=wanted.note, velocity=wanted.velocity, hold=wanted.hold)
    check_folder(folder)
    found = answer(recording)
    save_prediction(found, folder)
    return found


def _say(prediction: Prediction, folder: Path) -> None:
    from wav2patch.cli.console import out, printable
    from wav2patch.notes import pitch_name

    console = out()
    console.print(f"{printable(Path(prediction.recording.source).name)} on {prediction.synth.title}", style="bold")
    for remark in prediction.recording.remarks:
        console.print(f"  • {printable(remark)}")
    for number, one in enumerate(prediction.predicted, start=1):
        preset = folder / f"prediction_{number}{prediction.synth.preset_suffix}"
        heard = f"could not be rendered: {one.failure}" if one.distance is None else f"{one.distance:.2f} dB"
        played = f", {pitch_name(one.note.pitch)}" if prediction.record.note == "predicted" else ""
        console.print(f"  {printable(preset)}: {printable(heard)}{played}")
