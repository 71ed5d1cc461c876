"""What the names of controls say: identifiers for a spec, and which controls are no part of a sound."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TYPE_WORDS = (
    "type",
    "wave",
    "shape",
    "mode",
    "algo",
    "dest",
    "source",
    "model",
    "style",
    "route",
    "routing",
    "target",
)
_LEVEL_WORDS = ("volume", "level", "mix", "gain", "vol", "sustain", "amp")
_PITCH_WORDS = ("pitch", "tune", "semi", "octave", "transpose", "coarse", "_range", "interval")
_RESERVED = {"any", "unless"}

_LEFT_OUT: tuple[tuple[str, str], ...] = (
    (r"bypass|power|midi.*|panic|(midi_?)?program(_change)?|preset|bank|reserved.*|unused.*", "is no part of a sound"),
    (r"(master|main|out|output|global)?_?(volume|vol|gain|level|output)", "is the volume of the whole plug-in"),
    (r"(master|main|global|osc_?master)?_?(fine_?)?(tune|tuning)", "tunes the whole plug-in"),
    (r"(pitch_?)?bend(er)?_?(range|up|down|depth|osc_?\d_?only)?", "answers to controllers"),
    (r".*(pitch|mod|modulation)_?wheel.*|.*aftertouch.*", "answers to controllers"),
    (r"voice_?count|(max_?)?voices|polyphony|oversampling|quality|economy_?mode", "is about computing"),
    (r".*(portamento|glide|legato).*|as_?played_?allocation|keyboard_?mode", "is about one note after another"),
)


def identifiers(names: Sequence[str]) -> list[str]:
    """A word for each control: small letters, digits and underscores, each different.

    Args:
        names: As the host gives them; some may be empty or appear twice.
    """
    taken = set(_RESERVED)
    found: list[str] = []
    for place, name in enumerate(names):
        word = plain = _snake(name) or f"control_{place}"
        number = 2
        while word in taken:
            word, number = f"{plain}_{number}", number + 1
        taken.add(word)
        found.append(word)
    return found


def left_out(name: str) -> str | None:
    """Why a control of this identifier is no part of a patch, or None where it may be."""
    return next((reason for pattern, reason in _LEFT_OUT if re.fullmatch(pattern, name)), None)


def selects(name: str) -> bool:
    """Whether an identifier speaks of choosing among unlike things, such as a waveform."""
    return any(word in name for word in _TYPE_WORDS)


def is_pitch(name: str) -> bool:
    """Whether a control tunes something by much."""
    return any(word in name for word in _PITCH_WORDS) and not any(
        word in name for word in ("lfo", "env", "mod", "amount")
    )


def is_level(name: str) -> bool:
    """Whether a control turned to nothing is likely to silence all or part of a sound."""
    modulates = any(word in name for word in ("lfo", "mod", "env", "delay", "reverb", "chorus", "vel", "noise"))
    return not modulates and any(word in name.split("_") or name.endswith(word) for word in _LEVEL_WORDS)


def _snake(name: str) -> str:
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    word = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")
    return f"n{word}" if word[:1].isdigit() else word
