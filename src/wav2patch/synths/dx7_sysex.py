"""DX7 system exclusive files: a single voice (VCED) or a bank of 32 packed ones (VMEM).

A voice here is its 155 unpacked bytes, as the DX7's MIDI implementation numbers them, the last ten its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dexed import Patch as DexedPatch

from wav2patch.errors import UserError

VOICE_BYTES = 155
BANK_VOICES = 32
_PACKED_BYTES = 128
_VOICE_HEADER = bytes([0xF0, 0x43, 0x00, 0x00, 0x01, 0x1B])
_BANK_HEADER = bytes([0xF0, 0x43, 0x00, 0x09, 0x20, 0x00])
_BANK_PAYLOAD = BANK_VOICES * _PACKED_BYTES


def voice_message(voice: bytes) -> bytes:
    """The 163-byte message that sends one voice to the edit buffer."""
    return _message(_VOICE_HEADER, voice[:VOICE_BYTES])


def bank_message(voices: Sequence[bytes]) -> bytes:
    """The 4,104-byte message of a whole bank; the last voice fills the places that are left.

    Raises:
        ValueError: There are no voices, or more than 32.
    """
    if not 1 <= len(voices) <= BANK_VOICES:
        raise ValueError(f"a DX7 bank holds 1 to {BANK_VOICES} voices, not {len(voices)}")
    filled = [*voices, *[voices[-1]] * (BANK_VOICES - len(voices))]
    return _message(_BANK_HEADER, b"".join(_pack(voice) for voice in filled))


def read_voices(path: Path | str) -> list[bytes]:
    """Every voice of a file: single voices and banks, in any number, or a bank without its frame.

    Raises:
        UserError: The file is missing or holds no DX7 voice.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path} could not be read: {error.strerror or error}.") from error
    if len(content) == _BANK_PAYLOAD and content[:1] != b"\xf0":
        return _unpack_bank(content)
    voices = [voice for message in _messages(content) for voice in _voices(message)]
    if not voices:
        raise UserError(f"{path} holds no DX7 voice: expected a .syx file with a single voice or a 32-voice bank.")
    return voices


def _message(header: bytes, payload: bytes) -> bytes:
    return header + payload + bytes([-sum(payload) & 0x7F, 0xF7])


def _messages(content: bytes) -> Iterator[bytes]:
    start = content.find(0xF0)
    while start >= 0:
        end = content.find(0xF7, start)
        if end < 0:
            return
        yield content[start : end + 1]
        start = content.find(0xF0, end)


def _voices(message: bytes) -> list[bytes]:
    # The third byte holds the MIDI channel, which may be any.
    payload = message[6:-2]
    if message[1:2] != b"\x43":
        return []
    if message[3:6] == _VOICE_HEADER[3:6] and len(payload) == VOICE_BYTES:
        return [payload]
    if message[3:4] == _BANK_HEADER[3:4] and len(payload) == _BANK_PAYLOAD:
        return _unpack_bank(payload)
    return []


def _unpack_bank(payload: bytes) -> list[bytes]:
    starts = range(0, _BANK_PAYLOAD, _PACKED_BYTES)
    patches = (DexedPatch.from_packed(payload[start : start + _PACKED_BYTES]) for start in starts)
    return [patch.to_sysex()[:VOICE_BYTES] for patch in patches]


def _pack(voice: bytes) -> bytes:
    return DexedPatch.from_sysex(voice + b"\x3f").to_packed()
