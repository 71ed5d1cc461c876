"""Our own values in a plug-in's preset file, beside the plug-in's state.

A plug-in's state is its own secret, and what a plug-in reports after loading one is often out of date. So the files
that we write carry the patch too: as an attribute of a ``.vstpreset``, where programs that do not know it pass over it,
and after the end of other files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from wav2patch.synths.plugins import fxp, vstpreset

_ATTRIBUTE = "wav2patch"
_MARK = b"\nwav2patch values:"


class StoredError(ValueError):
    """Content that is no preset file; says why, without the file's name and the full stop."""


@dataclass(frozen=True)
class Stored:
    """What we know of a preset file that we wrote.

    Attributes:
        name: Of the preset.
        synth: Name of the spec that it was written with.
        space: Digest of that spec's parameter space.
        patch: By the names of the parameters, as `ParameterSpace.named` gives it.
        controls: Normalised values of all controls that were set, by their places.
    """

    name: str
    synth: str
    space: str
    patch: Mapping[str, float | int | str]
    controls: Mapping[int, float]


def attach(state: bytes, stored: Stored, suffix: str) -> bytes:
    """Content of a preset file: the plug-in's state, with our values and the preset's name.

    Args:
        state: Content of a preset file as the plug-in gives it.
        stored: What to add.
        suffix: Of the file, which tells its format.
    """
    text = json.dumps(asdict(stored))
    if suffix == vstpreset.SUFFIX:
        preset = vstpreset.from_bytes(state)
        return vstpreset.to_bytes(preset.with_attributes({"Name": stored.name, _ATTRIBUTE: text}))
    if suffix == fxp.SUFFIX:
        state = fxp.to_bytes(replace(fxp.from_bytes(state), name=stored.name))
    return state + _MARK + text.encode()


def detach(content: bytes, suffix: str) -> tuple[bytes, Stored | None]:
    """The plug-in's state in a preset file, and our values if it has any.

    Raises:
        StoredError: It is no preset file of this format.
    """
    state, text = content, b""
    try:
        if suffix == vstpreset.SUFFIX:
            text = vstpreset.from_bytes(content).attributes().get(_ATTRIBUTE, "").encode()
        else:
            state, _, text = content.rpartition(_MARK) if _MARK in content else (content, b"", b"")
        if suffix == fxp.SUFFIX:
            fxp.from_bytes(state)
    except (vstpreset.VstPresetError, fxp.FxpError) as error:
        raise StoredError(str(error)) from None
    return state, _stored(text) if text else None


def given_name(content: bytes, suffix: str) -> str:
    """The name that a preset file of another program gives itself; empty where it has none."""
    if suffix == vstpreset.SUFFIX:
        return vstpreset.from_bytes(content).attributes().get("Name", "")
    return fxp.from_bytes(content).name if suffix == fxp.SUFFIX else ""


def _stored(text: bytes) -> Stored | None:
    try:
        raw: Any = json.loads(text)
        controls = {int(index): float(value) for index, value in raw["controls"].items()}
        return Stored(str(raw["name"]), str(raw["synth"]), str(raw["space"]), dict(raw["patch"]), controls)
    except (ValueError, KeyError, TypeError, AttributeError):
        # Damaged or of a later version: the plug-in's own state is still there.
        return None
