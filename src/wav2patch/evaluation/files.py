"""The files of an evaluation: tables, every value, the patches, pictures and sounds of some rows."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wav2patch.audio.files import write_wav
from wav2patch.evaluation.pictures import draw_boxes, draw_row
from wav2patch.evaluation.results import Evaluation
from wav2patch.evaluation.rows import Row, Rows
from wav2patch.evaluation.table import parameters_to_csv, to_csv, to_json, to_latex, to_markdown
from wav2patch.files import write_bytes, write_text
from wav2patch.rendering.base import Failure, Renderer
from wav2patch.synths.base import Audio
from wav2patch.synths.tensor.synth import TensorSynth

_UNSAFE = re.compile(r"[^\w.-]+")


def write_evaluation(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Write everything but the rows' sounds; each file is whole or absent.

    Raises:
        UserError: The folder cannot be written to.
    """
    texts = {
        "table.md": to_markdown,
        "table.csv": to_csv,
        "table.tex": to_latex,
        "parameters.csv": parameters_to_csv,
        "evaluation.json": to_json,
    }
    for name, make in texts.items():
        write_text(folder / name, make(evaluation))
    write_bytes(folder / "patches.npz", _patches(evaluation))
    write_bytes(folder / "boxes.png", draw_boxes(evaluation))
    return [folder / name for name in (*texts, "patches.npz", "boxes.png")]


def write_sounds(evaluation: Evaluation, rows: Rows, renderer: Renderer | None, folder: Path, count: int) -> list[Path]:
    """For the first rows a picture, and the target with its matches as wav files.

    Args:
        evaluation: Of these rows.
        rows: The rows.
        renderer: Of their synth; None for research synths.
        folder: Where to; a folder for each row is made in it.
        count: Of how many rows.

    Raises:
        UserError: The folder cannot be written to.
    """
    written = []
    for number in range(min(count, len(rows))):
        (row,) = rows.read([number])
        place = folder / f"row-{row.number:06d}"
        sounds = {"target": row.audio, **_matches(evaluation, row, renderer, rows)}
        for name, sound in sounds.items():
            write_wav(place / f"{_UNSAFE.sub('_', name).strip('_')}.wav", sound, row.sample_rate)
        heading = f"{evaluation.synth}, row {row.number} (index {row.index} of {evaluation.data})"
        write_bytes(place / "picture.png", draw_row(sounds, row.sample_rate, heading))
        written.append(place)
    return written


def _matches(evaluation: Evaluation, row: Row, renderer: Renderer | None, rows: Rows) -> dict[str, Audio]:
    """What the methods' patches sound like; those that cannot be rendered are left out."""
    names = list(evaluation.methods)
    patches = [evaluation.methods[name].patches[row.number] for name in names]
    if renderer is None:
        return dict(zip(names, _signals(rows.synth, patches, row), strict=True))
    notes = [evaluation.methods[name].notes[row.number] for name in names]
    found = renderer.map(patches, [row.sound(note) for note in notes], np.copy)
    return {name: sound for name, sound in zip(names, found, strict=True) if not isinstance(sound, Failure)}


def _signals(synth: object, patches: Sequence[np.ndarray], row: Row) -> list[Audio]:
    assert isinstance(synth, TensorSynth)
    signals = synth.render_batch(np.stack(patches), row.audio.shape[1], row.sample_rate).numpy()
    return [signal[None] for signal in signals]


def _patches(evaluation: Evaluation) -> bytes:
    """The true patches and those that were kept, by the methods' names, with the rows' indices."""
    content = io.BytesIO()
    kept = {name: one.patches for name, one in evaluation.methods.items()}
    names = np.array(list(kept))
    arrays = {f"method_{place}": patches for place, patches in enumerate(kept.values())}
    np.savez_compressed(
        content, allow_pickle=False, index=evaluation.indices, truth=evaluation.truth, methods=names, **arrays
    )
    return content.getvalue()
