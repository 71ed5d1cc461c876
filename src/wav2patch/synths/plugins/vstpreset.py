"""VST3 preset files, ``.vstpreset``: the states of the two halves of a plug-in, and remarks about them.

Layout (Steinberg, "VST 3 Preset File Format Definition", little-endian): ``VST3``, version (int32), class id (32
characters), offset of the chunk list (int64); the chunks' data; ``List``, number of chunks (int32), and for each its id
(4 bytes), offset and size (int64). ``Comp`` holds the processor's state, ``Cont`` the controller's, and ``Info`` an
XML text of attributes, of which readers take those that they know.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

SUFFIX = ".vstpreset"
_HEAD = struct.Struct("<4si32sq")
_LIST = struct.Struct("<4si")
_ENTRY = struct.Struct("<4sqq")
_INFO = b"Info"
# The SDK's own reader takes no more.
_MOST_CHUNKS = 128


class VstPresetError(ValueError):
    """Content that is no VST3 preset; says why, without the file's name and the full stop."""


@dataclass(frozen=True)
class VstPreset:
    """A VST3 preset.

    Attributes:
        class_id: The plug-in's identity, 32 hexadecimal digits.
        chunks: Id (4 bytes) and content of each, in the file's order.
        version: Of the format.
    """

    class_id: bytes
    chunks: tuple[tuple[bytes, bytes], ...]
    version: int = 1

    def chunk(self, name: bytes) -> bytes | None:
        """Content of the first chunk of this id."""
        return next((data for identity, data in self.chunks if identity == name), None)

    def attributes(self) -> dict[str, str]:
        """The attributes of the ``Info`` chunk; none where there is no such chunk or it is damaged."""
        try:
            # Some writers end the text with a zero byte.
            root = ElementTree.fromstring((self.chunk(_INFO) or b"<MetaInfo/>").rstrip(b"\0"))
        except ElementTree.ParseError:
            return {}
        return {entry.get("id", ""): entry.get("value", "") for entry in root.iter("Attribute")}

    def with_attributes(self, attributes: Mapping[str, str]) -> VstPreset:
        """The same preset with these attributes added to its ``Info`` chunk, or replaced there."""
        root = ElementTree.Element("MetaInfo")
        for name, value in (self.attributes() | dict(attributes)).items():
            ElementTree.SubElement(root, "Attribute", id=name, value=value, type="string", flags="")
        text = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
        others = tuple(chunk for chunk in self.chunks if chunk[0] != _INFO)
        return VstPreset(self.class_id, (*others, (_INFO, text)), self.version)


def from_bytes(content: bytes) -> VstPreset:
    """The preset that a file holds.

    Raises:
        VstPresetError: It is none, or is damaged.
    """
    try:
        mark, version, class_id, start = _HEAD.unpack_from(content)
        listed, count = _LIST.unpack_from(content, max(start, 0))
        if mark != b"VST3" or listed != b"List" or start < _HEAD.size or not 0 <= count <= _MOST_CHUNKS:
            raise VstPresetError("it does not have the marks of a VST3 preset")
        entries = [_ENTRY.unpack_from(content, start + _LIST.size + i * _ENTRY.size) for i in range(count)]
    except struct.error:
        raise VstPresetError("it is shorter than a VST3 preset") from None
    for _, offset, size in entries:
        if offset < 0 or size < 0 or offset + size > len(content):
            raise VstPresetError("it is cut off")
    return VstPreset(class_id, tuple((name, content[at : at + size]) for name, at, size in entries), version)


def to_bytes(preset: VstPreset) -> bytes:
    """Content of a file that holds the preset."""
    data, entries, place = [], [], _HEAD.size
    for name, chunk in preset.chunks:
        entries.append(_ENTRY.pack(name, place, len(chunk)))
        data.append(chunk)
        place += len(chunk)
    head = _HEAD.pack(b"VST3", preset.version, preset.class_id, place)
    return b"".join([head, *data, _LIST.pack(b"List", len(entries)), *entries])
