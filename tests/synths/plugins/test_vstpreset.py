from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wav2patch.synths.plugins.vstpreset import VstPreset, VstPresetError, from_bytes, to_bytes

CLASS_ID = b"ABCDEF019182FAEB566D624153675854"
PRESET = VstPreset(CLASS_ID, ((b"Comp", b"state of the processor"), (b"Cont", b"")))


def test_the_layout_is_that_of_the_format() -> None:
    content = to_bytes(PRESET)
    start = 48 + 22
    assert content[:48] == b"VST3" + struct.pack("<i", 1) + CLASS_ID + struct.pack("<q", start)
    assert content[48:start] == b"state of the processor"
    assert content[start:] == (
        b"List" + struct.pack("<i", 2) + b"Comp" + struct.pack("<qq", 48, 22) + b"Cont" + struct.pack("<qq", start, 0)
    )


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.binary(min_size=4, max_size=4), st.binary(max_size=40)), max_size=5))
def test_presets_come_back(chunks: list[tuple[bytes, bytes]]) -> None:
    preset = VstPreset(CLASS_ID, tuple(chunks))
    assert from_bytes(to_bytes(preset)) == preset


def test_remarks_are_added_and_replaced_and_the_states_stay() -> None:
    once = PRESET.with_attributes({"Name": 'Bell <1> & "2" é', "MusicalCategory": "Synth"})
    twice = from_bytes(to_bytes(once.with_attributes({"Name": "Pad"})))
    assert once.attributes() == {"Name": 'Bell <1> & "2" é', "MusicalCategory": "Synth"}
    assert twice.attributes() == {"Name": "Pad", "MusicalCategory": "Synth"}
    assert twice.chunks[:2] == PRESET.chunks
    assert [name for name, _ in twice.chunks].count(b"Info") == 1


def test_remarks_of_other_programs_are_read() -> None:
    text = (
        b'<?xml version="1.0" encoding="utf-8"?>\n<MetaInfo>\n\t<Attribute id="MediaType" value="VstPreset" '
        b'type="string" flags="writeProtected"></Attribute>\n</MetaInfo>\n\0'
    )
    assert VstPreset(CLASS_ID, ((b"Info", text),)).attributes() == {"MediaType": "VstPreset"}
    assert VstPreset(CLASS_ID, ((b"Info", b"<MetaInfo"),)).attributes() == {}
    assert VstPreset(CLASS_ID, ((b"Info", b"\xff\0junk"),)).attributes() == {}


@pytest.mark.parametrize("length", [*range(0, 70, 7), 90, 110])
def test_a_file_that_was_cut_off_is_refused(length: int) -> None:
    with pytest.raises(VstPresetError):
        from_bytes(to_bytes(PRESET)[:length])


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        (0, b"VST2"),
        (40, struct.pack("<q", -1)),
        (40, struct.pack("<q", 2**62)),
        (40, struct.pack("<q", 0)),
        (70, b"Lost"),
        (74, struct.pack("<i", -1)),
        (74, struct.pack("<i", 2**30)),
        (82, struct.pack("<q", -8)),
        (90, struct.pack("<q", 2**40)),
    ],
)
def test_a_damaged_file_is_refused(at: int, wrong: bytes) -> None:
    content = bytearray(to_bytes(PRESET))
    content[at : at + len(wrong)] = wrong
    with pytest.raises(VstPresetError):
        from_bytes(bytes(content))
