"""Preset files of the research synths: JSON with every parameter by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wav2patch.errors import UserError
from wav2patch.files import write_text
from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.synths.base import Preset

FORMAT = "wav2patch research synth"


def write_json(patch: Patch, path: Path, *, synth: str, space: ParameterSpace, name: str) -> None:
    """Write a patch ``(P,)``.

    Raises:
        UserError: A value is out of range, or the file cannot be written.
    """
    content = {
        "format": FORMAT,
        "synth": synth,
        "space": space.digest,
        "name": name,
        "parameters": space.named(patch),
    }
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path, *, synth: str, space: ParameterSpace) -> Preset:
    """Read what `write_json` wrote; parameters that the space does not have are dropped.

    Raises:
        UserError: The file is missing, holds no such preset or one of another synth, or lacks a parameter.
    """
    content = _load(path)
    if content is None:
        raise UserError(f"{path} holds no preset of {synth}: expected a .json file that wav2patch wrote.")
    if content["synth"] != synth:
        raise UserError(f"{path} holds no preset of {synth}: it is one of {content['synth']}.")
    values: dict[str, Any] = content["parameters"]
    if lacking := [name for name in space.names if name not in values]:
        raise UserError(f"{path} holds no whole preset of {synth}: {lacking[0]} is missing.")
    dropped = tuple(f"parameter {name}" for name in values if name not in space.names)
    patch = space.from_named({name: values[name] for name in space.names})
    return Preset(str(content.get("name", path.stem)), space.snap(patch), dropped)


def _load(path: Path) -> dict[str, Any] | None:
    """The file's content if it is a preset of some research synth."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} could not be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError):
        return None
    known = isinstance(content, dict) and content.get("format") == FORMAT and isinstance(content.get("synth"), str)
    return content if known and isinstance(content.get("parameters"), dict) else None
