"""Surge XT's own patches: written from the controls of a spec, and taken apart again.

A patch is XML behind a header of 32 bytes (``sub3``, the length of the XML, and of six wavetables), which an ``.fxp``
file wraps as a VST2 program of the plug-in `cjs3`, and which is the plug-in's whole state in a host. Controls that a
patch leaves out have Surge's initial values, so a patch is complete with what differs from them.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from wav2patch.synths.plugins import fxp
from wav2patch.synths.plugins.surge_controls import element

FXP_IDENTITY = "cjs3"
REVISION = 24
"""Of the format, Surge XT 1.3: later versions open it without a question and read the same sound from it."""

_HEADER = struct.Struct("<4s7I")
_TAG = b"sub3"
_XML_END = b"</patch>"

FIRST_LFO = 17
"""Number of voice LFO 1 as a source of modulation; 2 to 6 follow."""

ROUTINGS: Mapping[str, tuple[int, float]] = {
    "a_pitch": (FIRST_LFO + 5, 14.0),
    "a_osc1_param3": (FIRST_LFO + 2, 1.0),
    "a_osc2_param3": (FIRST_LFO + 3, 1.0),
    "a_osc3_param3": (FIRST_LFO + 4, 1.0),
    "a_filter1_cutoff": (FIRST_LFO, 130.0),
    "a_filter2_cutoff": (FIRST_LFO + 1, 130.0),
}
"""The paper's modulation: by element, its source and depth, which is the element's whole range."""

_FLAGS = {
    "a_lowcut": {"deactivated": 0},
    **{f"a_lfo{i}_delay": {"deactivated": 0} for i in range(6)},
    "fx1_p4": {"deactivated": 0},
    "fx1_p5": {"deactivated": 0},
    "fx2_p0": {"temposync": 1},
    "fx2_p1": {"temposync": 1, "deactivated": 0},
    "fx2_p2": {"deform_type": 1},
    "fx2_p4": {"deactivated": 0},
    "fx2_p5": {"deactivated": 0},
}
_TAIL = (
    "<nonparamconfig>"
    + "".join(f'<monoVoicePrority_{s} v="1"/><monoVoiceEnvelope_{s} v="0"/>' for s in (0, 1))
    + "".join(f'<polyVoiceRepeatedKeyMode_{s} v="0"/>' for s in (0, 1))
    + '<hardclipmodes global="1" sc0="1" sc1="1"/><tuningApplicationMode v="1"/></nonparamconfig>'
    + '<compatability><correctlyTunedCombFilter v="1"/></compatability><tempoOnSave v="120.000000"/>'
)
# Control characters in labels, which Surge writes and reads, and XML has not.
_FORBIDDEN = re.compile(r"&#x0*1?[0-9a-fA-F];|[\x00-\x08\x0b\x0c\x0e-\x1f]")


class SurgePatchError(ValueError):
    """Content that is no patch of Surge; says why, without the file's name and the full stop."""


@dataclass(frozen=True)
class Routing:
    """A modulation: the number of its source, and how far it moves the element's value."""

    source: int
    depth: float
    muted: bool = False
    index: int = 0


@dataclass(frozen=True)
class Setting:
    """What a patch says of one element: its plain value, its flags, and what modulates it."""

    value: float
    flags: Mapping[str, int] = field(default_factory=dict)
    routings: tuple[Routing, ...] = ()


@dataclass(frozen=True)
class SurgePatch:
    """A patch as Surge stores it.

    Attributes:
        name: As the patch browser shows it.
        revision: Of the format.
        settings: By element.
        macros: Values of the eight macros where they are not 0, by number from 0.
        wavetables: Which oscillators bring a wavetable, as ``(scene, oscillator)`` from 0.
    """

    name: str
    revision: int
    settings: Mapping[str, Setting]
    macros: Mapping[int, float] = field(default_factory=dict)
    wavetables: tuple[tuple[int, int], ...] = ()


def chunk(values: Mapping[str, float], *, name: str, random_drift: bool = False) -> bytes:
    """A patch with plain values by element, and the paper's modulation.

    Args:
        values: Whole numbers for elements that take these; all others have Surge's initial values.
        name: As the patch browser shows it.
        random_drift: Whether the oscillators' drift starts anywhere, or at no deviation.
    """
    parameters = "".join(_element(tag, value, int(random_drift)) for tag, value in values.items())
    missing = ROUTINGS.keys() - values.keys()
    parameters += "".join(_element(tag, 0.0, 0) for tag in sorted(missing))
    xml = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes" ?><patch revision="{REVISION}">'
        f'<meta name={quoteattr(_plain(name))} category="wav2patch" comment="" author="wav2patch" license=""/>'
        f"<parameters>{parameters}</parameters>{_TAIL}</patch>"
    ).encode("ascii", "xmlcharrefreplace")
    return _HEADER.pack(_TAG, len(xml), *[0] * 6) + xml


def _element(tag: str, value: float, random_drift: int) -> str:
    flags = {"extend_range": random_drift} if tag == "a_drift" else _FLAGS.get(tag, {})
    more = "".join(f' {flag}="{state}"' for flag, state in flags.items())
    if element(tag).whole:
        return f'<{tag} type="0" value="{round(value)}"{more}/>'
    start = f'<{tag} type="2" value="{value:.14f}"{more}'
    if tag not in ROUTINGS:
        return start + "/>"
    source, depth = ROUTINGS[tag]
    return f'{start}><modrouting source="{source}" depth="{depth:g}" muted="0" source_index="0"/></{tag}>'


def _plain(name: str) -> str:
    """Without what XML cannot hold."""
    return "".join(letter for letter in name if letter.isprintable()) or "wav2patch"


def parse_chunk(content: bytes) -> SurgePatch:
    """Take a patch apart, of this or an older version.

    Raises:
        SurgePatchError: It is none, or is damaged.
    """
    if content[:4] != _TAG or len(content) < _HEADER.size:
        raise SurgePatchError("it is no patch of Surge")
    _, size, *tables = _HEADER.unpack_from(content)
    root = _root(content[_HEADER.size : _HEADER.size + size])
    parameters = root.find("parameters")
    if parameters is None:
        raise SurgePatchError("it has no parameters")
    meta, custom = root.find("meta"), root.find("customcontroller")
    macros = {_whole(e, "i"): _number(e, "v") for e in (custom if custom is not None else ())}
    return SurgePatch(
        name=meta.get("name", "") if meta is not None else "",
        revision=_whole(root, "revision"),
        settings={e.tag: _setting(e) for e in parameters},
        macros={i: value for i, value in macros.items() if value},
        wavetables=tuple(divmod(i, 3) for i, length in enumerate(tables) if length),
    )


def _root(xml: bytes) -> ElementTree.Element:
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise SurgePatchError("its XML declares entities, which Surge never writes")
    end = xml.rfind(_XML_END)
    text = xml[: end + len(_XML_END)].decode("utf-8", "replace")
    # The declaration would have the parser decode it again; old versions wrote names in Latin-1 under it.
    text = text.partition("?>")[2] if text.startswith("<?xml") else text
    try:
        root = ElementTree.fromstring(_FORBIDDEN.sub("", text))
    except ElementTree.ParseError as error:
        raise SurgePatchError("its XML is damaged") from error
    if root.tag != "patch":
        raise SurgePatchError("its XML is something else")
    return root


def _setting(entry: ElementTree.Element) -> Setting:
    flags = {name: _whole(entry, name) for name in entry.keys() if name not in ("type", "value")}  # noqa: SIM118 - XML
    routings = tuple(
        Routing(_whole(r, "source"), _number(r, "depth"), bool(_whole(r, "muted")), _whole(r, "source_index"))
        for r in entry.findall("modrouting")
    )
    return Setting(_number(entry, "value"), flags, routings)


def _number(entry: ElementTree.Element, name: str) -> float:
    try:
        number = float(entry.get(name, "0"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise SurgePatchError(f"{entry.tag} has no number for {name!r}")
    return number


def _whole(entry: ElementTree.Element, name: str) -> int:
    return int(_number(entry, name))


def to_fxp(content: bytes, name: str) -> bytes:
    """A patch as the content of an ``.fxp`` file, as Surge's patch browser keeps it."""
    return fxp.to_bytes(fxp.Program(_plain(name), FXP_IDENTITY, chunk=content, version=1, count=1))


def from_fxp(content: bytes) -> bytes:
    """The patch of an ``.fxp`` file's content.

    Raises:
        SurgePatchError: It is none of Surge.
    """
    try:
        program = fxp.from_bytes(content)
    except fxp.FxpError as error:
        raise SurgePatchError(str(error)) from None
    if program.unique_id != FXP_IDENTITY or program.chunk is None:
        raise SurgePatchError("it is for another plug-in")
    return program.chunk
