"""The files of a prediction: parameters, presets, sounds and a picture in one folder."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from wav2patch.audio.files import write_wav
from wav2patch.evaluation.pictures import draw_row
from wav2patch.evaluation.prediction import Predicted, Prediction
from wav2patch.files import write_bytes, write_text

FORMAT = 1


def save_prediction(prediction: Prediction, folder: Path) -> list[Path]:
    """Write everything, each file whole or not at all; ``prediction.json``, which names the others, comes last.

    Raises:
        UserError: The disk refuses a file.
    """
    written = []
    for number, one in enumerate(prediction.predicted, start=1):
        written.append(folder / _preset_file(prediction, number))
        prediction.synth.write_preset(one.patch, written[-1], name=f"{Path(prediction.recording.source).stem} {number}")
    rate = prediction.recording.sound.sample_rate
    sounds = {"target": prediction.recording.padded}
    sounds |= {_name(number): one.audio for number, one in _numbered(prediction) if one.audio is not None}
    for name, audio in sounds.items():
        written.append(folder / f"{name}.wav")
        write_wav(written[-1], audio, rate)
    heading = (
        f"{Path(prediction.recording.source).name} by {prediction.record.inverter['kind']} on {prediction.synth.name}"
    )
    texts = {"parameters.csv": _table(prediction), "prediction.json": _json(prediction)}
    write_bytes(folder / "prediction.png", draw_row(_titled(prediction), rate, heading))
    for name, text in texts.items():
        write_text(folder / name, text)
    return [*written, folder / "prediction.png", *(folder / name for name in texts)]


def as_dictionary(prediction: Prediction) -> dict[str, Any]:
    """The prediction as plain values, for ``prediction.json`` and ``--json``."""
    recording, record = prediction.recording, prediction.record
    return {
        "format": FORMAT,
        "source": recording.source,
        "remarks": list(recording.remarks),
        "synth": prediction.synth.name,
        "model": {"kind": record.inverter["kind"], "feature": record.feature, "note": record.note},
        "seed": prediction.seed,
        "length": recording.sound.length,
        "sample_rate": recording.sound.sample_rate,
        "noise_floor": prediction.synth.noise_floor,
        "predictions": [_plain(prediction, number, one) for number, one in _numbered(prediction)],
    }


def _plain(prediction: Prediction, number: int, one: Predicted) -> dict[str, Any]:
    return {
        "preset": _preset_file(prediction, number),
        "audio": None if one.audio is None else f"{_name(number)}.wav",
        "distance": one.distance,
        "failure": one.failure,
        "note": dict(vars(one.note)),
        "patch": prediction.synth.space.named(one.patch),
    }


def _json(prediction: Prediction) -> str:
    return json.dumps(as_dictionary(prediction), indent=2, ensure_ascii=False) + "\n"


def _table(prediction: Prediction) -> str:
    """A parameter a row: its name, its label, its unit, and its value in every proposal."""
    named = [prediction.synth.space.named(one.patch) for one in prediction.predicted]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["parameter", "label", "unit", *(_name(number) for number, _ in _numbered(prediction))])
    for one in prediction.synth.space.parameters:
        writer.writerow([one.name, one.label, getattr(one, "unit", ""), *(values[one.name] for values in named)])
    return text.getvalue()


def _titled(prediction: Prediction) -> dict[str, Any]:
    """The sounds by the titles that a picture gives them."""
    titled = {"target": prediction.recording.padded}
    for number, one in _numbered(prediction):
        if one.audio is not None and one.distance is not None:
            titled[f"prediction {number}: {one.distance:.2f} dB"] = one.audio
    return titled


def _numbered(prediction: Prediction) -> list[tuple[int, Predicted]]:
    return list(enumerate(prediction.predicted, start=1))


def _name(number: int) -> str:
    return f"prediction_{number}"


def _preset_file(prediction: Prediction, number: int) -> str:
    return f"{_name(number)}{prediction.synth.preset_suffix}"
