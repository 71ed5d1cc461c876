import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wav2patch.errors import UserError
from wav2patch.synths.plugins.fxp import FxpError, Program, from_bytes, read_fxp, to_bytes, write_fxp

LATIN = st.characters(min_codepoint=33, max_codepoint=255)
NAMES = st.text(LATIN, max_size=28)
IDENTITIES = st.text(LATIN, min_size=4, max_size=4)
VALUES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=300).map(tuple)
VERSIONS = st.integers(0, 2**31 - 1)


@given(NAMES, IDENTITIES, VALUES, VERSIONS)
def test_values_come_back_exactly(name: str, identity: str, values: tuple[float, ...], version: int) -> None:
    program = Program(name.strip(), identity, values, version=version)
    assert from_bytes(to_bytes(program)) == program


@given(NAMES, IDENTITIES, st.binary(min_size=1, max_size=500), st.integers(0, 5000))
def test_a_chunk_comes_back_exactly(name: str, identity: str, chunk: bytes, count: int) -> None:
    program = Program(name.strip(), identity, chunk=chunk, count=count)
    assert from_bytes(to_bytes(program)) == program


@given(st.binary(max_size=200), st.sampled_from([b"", b"CcnK", b"CcnK\0\0\0\0FxCk", b"CcnK\0\0\0\0FPCh"]))
def test_any_bytes_are_read_or_refused(content: bytes, start: bytes) -> None:
    try:
        from_bytes(start + content)
    except FxpError:
        return
    assert len(start) > 4


def test_the_layout_is_that_of_the_interface() -> None:
    content = to_bytes(Program("Bass", "amsy", (0.0, 0.5, 1.0), version=14))
    assert content[:4] == b"CcnK"
    assert struct.unpack(">i", content[4:8])[0] == len(content) - 8
    assert content[8:12] == b"FxCk"
    assert struct.unpack(">i", content[12:16])[0] == 1
    assert content[16:20] == b"amsy"
    assert struct.unpack(">ii", content[20:28]) == (14, 3)
    assert content[28:56] == b"Bass".ljust(28, b"\0")
    assert struct.unpack(">3f", content[56:]) == (0.0, 0.5, 1.0)


def test_a_file_of_another_program_with_no_size_and_a_tail_is_read() -> None:
    content = bytearray(to_bytes(Program("x", "amsy", (0.25,))) + b"more")
    content[4:8] = bytes(4)
    assert from_bytes(bytes(content)).values == (0.25,)


def test_values_beyond_the_range_are_clipped() -> None:
    content = to_bytes(Program("x", "amsy", (0.25, 0.5)))[:-8] + struct.pack(">2f", 1.0000001, -0.5)
    assert from_bytes(content).values == (1.0, 0.0)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda content: b"", "not an .fxp"),
        (lambda content: content[:50], "not an .fxp"),
        (lambda content: b"RIFF" + content[4:], "not an .fxp"),
        (lambda content: content[:8] + b"FBCh" + content[12:], "bank"),
        (lambda content: content[:8] + b"ABCD" + content[12:], "kind"),
        (lambda content: content[:-1], "last value"),
        (lambda content: content[:24] + struct.pack(">i", 0) + content[28:], "last value"),
        (lambda content: content[:24] + struct.pack(">i", -5) + content[28:], "last value"),
        (lambda content: content[:-4] + struct.pack(">f", np.nan), "not numbers"),
        (lambda content: content[:8] + b"FPCh" + content[12:56] + struct.pack(">i", 99), "last byte"),
        (lambda content: content[:8] + b"FPCh" + content[12:56] + b"\xff\xff\xff\xff" + bytes(9), "last byte"),
    ],
)
def test_what_is_no_program_is_refused(tmp_path: Path, spoil, reason: str) -> None:
    path = tmp_path / "bad.fxp"
    path.write_bytes(spoil(to_bytes(Program("x", "amsy", (0.1, 0.2)))))
    with pytest.raises(UserError, match=f"holds no VST2 program: .*{reason}"):
        read_fxp(path)


def test_files_are_written_and_read(tmp_path: Path) -> None:
    program = Program("Lead", "ncut", (0.1, 0.9))
    write_fxp(tmp_path / "a.fxp", program)
    back = read_fxp(tmp_path / "a.fxp", "ncut")
    assert back.values == pytest.approx(program.values)
    with pytest.raises(UserError, match=r"'amsy'.*it is for 'ncut'"):
        read_fxp(tmp_path / "a.fxp", "amsy")
    with pytest.raises(UserError, match="could not be read"):
        read_fxp(tmp_path / "none.fxp")


def test_a_long_name_is_cut_and_a_strange_one_written(tmp_path: Path) -> None:
    assert from_bytes(to_bytes(Program("n" * 40, "amsy", (0.5,)))).name == "n" * 28
    assert from_bytes(to_bytes(Program("αβ", "amsy", (0.5,)))).name == "??"


@pytest.mark.parametrize(
    "arguments", [("x", "amsyn"), ("x", "amsy", (1.5,)), ("x", "amsy", (float("nan"),)), ("x", "amsy", (0.5,), b"c")]
)
def test_programs_that_cannot_be(arguments: tuple) -> None:
    with pytest.raises(ValueError, match=r"four characters|normalised|either"):
        Program(*arguments)
