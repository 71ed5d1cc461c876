"""VST2 program files, ``.fxp``: every parameter's value (FxCk), or the plug-in's own opaque chunk (FPCh).

The layout is that of the VST 2.4 interface, big-endian throughout: ``CcnK``, the size of what follows, the kind,
the format's version (1), the plug-in's identity (four characters) and version, the number of parameters, 28 bytes of
name, and then the values as 32-bit floats or the chunk's size and bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wav2patch.errors import UserError
from wav2patch.files import write_bytes

SUFFIX = ".fxp"
NAME_BYTES = 28
_HEAD = struct.Struct(f">4si4si4sii{NAME_BYTES}s")
# Hosts count neither the magic word nor the size itself.
_UNCOUNTED = 8
_FORMAT_VERSION = 1


class FxpError(ValueError):
    """Content that is no VST2 program; says why, without the file's name and the full stop."""


@dataclass(frozen=True)
class Program:
    """One program of a VST2 plug-in: its parameters' values, or a chunk that the plug-in alone understands.

    Attributes:
        name: As the plug-in shows it, at most 28 bytes of Latin-1.
        unique_id: The plug-in's identity, four characters such as ``"amsy"``.
        values: Normalised, 0 to 1, in the plug-in's order; empty where there is a chunk.
        chunk: The plug-in's own bytes, None where the values are known.
        version: The plug-in's version number as it was when the program was written.
        count: Number of the plug-in's parameters, where a chunk stands in for their values.

    Raises:
        ValueError: The identity is not of four characters, a value is not from 0 to 1, or there are values and a
            chunk.
    """

    name: str
    unique_id: str
    values: tuple[float, ...] = ()
    chunk: bytes | None = None
    version: int = 1
    count: int = 0

    def __post_init__(self) -> None:
        if len(self.unique_id.encode("latin-1")) != 4:
            raise ValueError(f"a VST2 plug-in's identity has four characters, unlike {self.unique_id!r}")
        if self.values and self.chunk is not None:
            raise ValueError("a program has either values or a chunk")
        if not all(0 <= value <= 1 for value in self.values):
            raise ValueError("the values of a program are normalised, 0 to 1")


def to_bytes(program: Program) -> bytes:
    """The content of an ``.fxp`` file."""
    if program.chunk is None:
        kind, count = b"FxCk", len(program.values)
        content = np.array(program.values, dtype=">f4").tobytes()
    else:
        kind, count = b"FPCh", program.count
        content = struct.pack(">i", len(program.chunk)) + program.chunk
    size = _HEAD.size - _UNCOUNTED + len(content)
    name = program.name.encode("latin-1", "replace")[:NAME_BYTES]
    identity = program.unique_id.encode("latin-1")
    head = _HEAD.pack(b"CcnK", size, kind, _FORMAT_VERSION, identity, program.version, count, name)
    return head + content


def from_bytes(content: bytes) -> Program:
    """The program that an ``.fxp`` file holds.

    The size field is not looked at, since several programs leave it at 0; nor is what follows the program. Values
    are clipped into 0 to 1, which some plug-ins leave by a rounding error.

    Raises:
        FxpError: It is not an ``.fxp`` file, or one that ends too early.
    """
    if content[:4] != b"CcnK" or len(content) < _HEAD.size:
        raise FxpError("it is not an .fxp file")
    _, _, kind, _, identity, version, count, title = _HEAD.unpack_from(content)
    name, unique_id = title.split(b"\0")[0].decode("latin-1").strip(), identity.decode("latin-1")
    if kind == b"FxCk":
        return Program(name, unique_id, _values(content[_HEAD.size :], count), version=version)
    if kind == b"FPCh":
        return Program(name, unique_id, chunk=_chunk(content[_HEAD.size :]), version=version, count=count)
    raise FxpError(
        "it is a bank of programs, not a single one" if kind in (b"FxBk", b"FBCh") else "its kind is unknown"
    )


def _values(content: bytes, count: int) -> tuple[float, ...]:
    if not 0 < count <= len(content) // 4:
        raise FxpError("it ends before its last value")
    values = np.frombuffer(content, dtype=">f4", count=count).astype(np.float64)
    if not np.isfinite(values).all():
        raise FxpError("it holds values that are not numbers")
    return tuple(float(value) for value in np.clip(values, 0, 1))


def _chunk(content: bytes) -> bytes:
    size = int.from_bytes(content[:4], "big")
    if len(content) < 4 or not 0 < size <= len(content) - 4:
        raise FxpError("it ends before its last byte")
    return content[4 : 4 + size]


def write_fxp(path: Path | str, program: Program) -> None:
    """Write an ``.fxp`` file, whole or not at all."""
    write_bytes(Path(path), to_bytes(program))


def read_fxp(path: Path | str, unique_id: str = "") -> Program:
    """Read an ``.fxp`` file; given `unique_id`, of that plug-in alone.

    Raises:
        UserError: The file is missing, is not a VST2 program, or another plug-in's.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path} could not be read: {error.strerror or error}.") from error
    try:
        program = from_bytes(content)
    except FxpError as error:
        raise UserError(f"{path} holds no VST2 program: {error}.") from None
    if unique_id and program.unique_id != unique_id:
        raise UserError(f"{path} holds no program of this plug-in ({unique_id!r}): it is for {program.unique_id!r}.")
    return program
