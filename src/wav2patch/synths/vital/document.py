"""The JSON of a ``.vital`` file: reading one with care, and the one that ours start from."""

from __future__ import annotations

import copy
import json
import math
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from wav2patch.errors import UserError
from wav2patch.synths.vital.names import OSCILLATORS
from wav2patch.synths.vital.noise import noise_json
from wav2patch.synths.vital.settings import fixed_controls
from wav2patch.synths.vital.shapes import shape_json
from wav2patch.synths.vital.wavetable import wavetable_json

Document = dict[str, Any]

VERSION = "1.0.6"
"""The version of Vital that ours are written for: the one vita is built from, which every later one opens."""

CONNECTIONS, LINES = 64, 8
_LAST_CHANGE = (0, 9, 0)


@cache
def init_controls() -> dict[str, float]:
    """Every control of Vital at its default; tests hold them against vita."""
    return json.loads(resources.files("wav2patch.synths.vital").joinpath("init_controls.json").read_text("utf-8"))


def init_document() -> Document:
    """A preset with our wavetable and noise, no modulation, and every control at its default or ours."""
    settings: dict[str, Any] = init_controls() | fixed_controls()
    settings["lfos"] = [shape_json("triangle") for _ in range(LINES)]
    settings["modulations"] = [{"source": "", "destination": ""} for _ in range(CONNECTIONS)]
    settings["sample"] = dict(noise_json())
    settings["wavetables"] = [wavetable_json() for _ in OSCILLATORS]
    macros = {f"macro{k}": f"MACRO {k}" for k in range(1, 5)}
    words = {"author": "", "comments": "Made by wav2patch", "preset_name": "", "preset_style": ""}
    return {**words, **macros, "settings": settings, "synth_version": VERSION}


def read_document(path: Path | str) -> Document:
    """The content of a ``.vital`` file, checked so far that Vital's engine can be given it.

    Raises:
        UserError: The file is missing or holds no preset of Vital.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path} could not be read: {error.strerror or error}.") from error
    try:
        document = json.loads(content)
        _check(document)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(f"{path} holds no Vital preset: expected a .vital file that Vital wrote.") from None
    return document


def modern(document: Document) -> Document:
    """The document as the present version of Vital understands it; one from before 0.9 is brought up to date."""
    if _version(document) >= _LAST_CHANGE:
        return document
    from vita.vita import Synth  # noqa: PLC0415 - only old presets need the engine to be read

    engine = Synth()
    engine.load_json(json.dumps(document))
    updated = json.loads(engine.to_json())
    return {**copy.deepcopy(document), "settings": updated["settings"], "synth_version": VERSION}


def _version(document: Document) -> tuple[int, ...]:
    return tuple(int(number) for number in document["synth_version"].split("."))


def _check(document: Document) -> None:
    """Raises one of several errors where the content is not as Vital writes it; the engine would read past ends."""
    settings = document["settings"]
    _version(document)
    numbers = [value for value in settings.values() if isinstance(value, int | float)]
    if len(numbers) < 50 or "osc_1_level" not in settings or not all(math.isfinite(number) for number in numbers):
        raise ValueError("no controls")
    connections, lines, tables = (settings.get(key, []) for key in ("modulations", "lfos", "wavetables"))
    if len(connections) > CONNECTIONS or len(lines) > LINES or len(tables) > len(OSCILLATORS):
        raise ValueError("too many parts")
    for connection in connections:
        str(connection["source"] + connection["destination"])
        if "line_mapping" in connection:
            _check_line(connection["line_mapping"])
    for line in lines:
        _check_line(line)
    if "sample" in settings:
        str(settings["sample"]["samples"] + "")


def _check_line(line: dict[str, Any]) -> None:
    points, powers, count = line["points"], line["powers"], line["num_points"]
    if not 2 <= count <= min(len(powers), len(points) // 2, 100):
        raise ValueError("a line without points")
    if not all(math.isfinite(number) for number in [*points, *powers]):
        raise ValueError("a line that leads nowhere")
