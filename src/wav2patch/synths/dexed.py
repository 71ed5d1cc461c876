"""The Yamaha DX7, played by Dexed's engine through dexed-py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata, resources
from pathlib import Path

import numpy as np
from dexed._dexed import DexedSynth as Engine
from numpy.typing import NDArray

from wav2patch.files import write_bytes
from wav2patch.notes import Note
from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.priors import CopulaPrior, load_prior
from wav2patch.synths.base import Audio, Preset, RenderError, from_onset
from wav2patch.synths.dexed_space import OPERATORS, dx7_space, operator_fields
from wav2patch.synths.dx7_sysex import VOICE_BYTES, bank_message, read_voices, voice_message
from wav2patch.synths.one_rate import OneRate

# Nine in ten draws of the prior then peak below full scale, at −13 LUFS in the median.
GAIN = 0.5
_NAME_BYTES = 10
_ALL_OPERATORS_ON = b"\x3f"
# The engine's tables belong to the process, and it refuses a second rate while it plays at a first one.
_TABLES = OneRate()


class Dexed:
    """The DX7 in native units: every one of a voice's 145 values, rendered by the real Dexed engine."""

    name = "dexed"
    title = "Yamaha DX7 (Dexed)"
    preset_suffix = ".syx"
    bank_name = "bank.syx"
    releases_gil = True
    may_crash = False
    noise_floor = 0.0

    @property
    def space(self) -> ParameterSpace:
        """The 145 parameters of a DX7 voice."""
        return dx7_space()

    def missing(self) -> None:
        """Nothing: the engine comes with the package."""

    def versions(self) -> Mapping[str, str]:
        """The engine's version."""
        return {"dexed-py": metadata.version("dexed-py")}

    def prior(self) -> CopulaPrior:
        """The statistics of 1,051 real voices that ship with the package."""
        return _shipped_prior()

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        """Render one note; float32 ``(1, samples)``. See `Synth.render`."""
        return from_onset(
            lambda count: GAIN * self._play(patch, note, count, sample_rate), 1, note, length, sample_rate
        )

    def _play(self, patch: Patch, note: Note, samples: int, sample_rate: int) -> NDArray[np.float32]:
        # dexed-py's public class takes a voice only as a Patch object; the engine below it takes the bytes.
        # A voice's state outlives a change of patch, so every render gets an engine of its own (0.04 ms).
        voice = to_voice(patch) + _ALL_OPERATORS_ON
        with _TABLES.at(sample_rate):
            engine = Engine(float(sample_rate), 0)
            engine.load_sysex(voice)
            audio = engine.render(note.pitch, note.velocity, note.duration, samples / sample_rate)
        if len(audio) != samples:
            raise RenderError("Dexed returned audio of a wrong length")
        return audio

    def write_preset(self, patch: Patch, path: Path | str, *, name: str = "wav2patch") -> None:
        """Write a single-voice ``.syx`` file, which Dexed and the hardware load."""
        write_bytes(Path(path), voice_message(to_voice(patch, name)))

    def write_bank(self, patches: Sequence[Patch], path: Path | str, names: Sequence[str]) -> None:
        """Write a 32-voice bank ``.syx``; the last patch fills the places that are left."""
        write_bytes(Path(path), bank_message([to_voice(p, n) for p, n in zip(patches, names, strict=True)]))

    def read_presets(self, path: Path | str) -> list[Preset]:
        """The voices of a ``.syx`` file, single voice or bank.

        Values beyond a parameter's range, as worn cartridges have them, are clipped into it.
        """
        return [Preset(*from_voice(voice)) for voice in read_voices(path)]

    def loading_instructions(self) -> list[str]:
        """How to open the file in Dexed and in the hardware."""
        return [
            "Dexed (free plug-in): click CART, choose “Load” and pick the .syx file of a candidate, "
            "or drop the file on Dexed's window.",
            "DX7 and other hardware: unprotect the internal memory, set the unit to receive system exclusive "
            "messages and send the .syx file with a MIDI librarian; it lands in the edit buffer.",
            "“bank.syx” holds all candidates as a 32-voice bank for synths and editors that load banks only.",
        ]


def to_voice(patch: Patch, name: str = "wav2patch") -> bytes:
    """The 155 bytes of a voice: `patch` ``(145,)`` and a name in ASCII, shortened to ten characters.

    Raises:
        UserError: A value is out of its range.
    """
    dx7_space().validate(patch)
    voice = np.zeros(VOICE_BYTES, dtype=np.uint8)
    voice[:-_NAME_BYTES][_byte_order()] = np.asarray(patch).astype(np.uint8)
    title = _short(name).encode("ascii", "replace")[:_NAME_BYTES].ljust(_NAME_BYTES)
    return voice[:-_NAME_BYTES].tobytes() + title


def _short(name: str) -> str:
    """A name that fits a cartridge: in capitals where it was too long, and with its number if it ends with one."""
    if len(name) <= _NAME_BYTES:
        return name
    stem, _, number = name.upper().rpartition(" ")
    return f"{stem[: _NAME_BYTES - 1 - len(number)]} {number}" if number.isdigit() else name.upper()


def from_voice(voice: bytes) -> tuple[str, Patch]:
    """Name and patch ``(145,)`` of a voice's 155 bytes; bytes beyond a value's range are clipped."""
    values = np.frombuffer(voice[: VOICE_BYTES - _NAME_BYTES], dtype=np.uint8)
    name = bytes(byte & 0x7F for byte in voice[-_NAME_BYTES:]).decode("ascii").replace("\0", " ").strip()
    return name, dx7_space().snap(values[_byte_order()].astype(np.float64))


@cache
def _byte_order() -> NDArray[np.intp]:
    """For every parameter, the byte of a voice that holds it: operators come last to first."""
    names = [name for k in reversed(OPERATORS) for name in operator_fields(k)]
    space = dx7_space()
    tail = [f"pitch_eg_{kind}_{i}" for kind in ("rate", "level") for i in range(1, 5)]
    tail += ["algorithm", "feedback", "oscillator_sync", "lfo_speed", "lfo_delay", "lfo_pitch_depth"]
    tail += ["lfo_amp_depth", "lfo_sync", "lfo_wave", "lfo_pitch_sensitivity", "transpose"]
    order = np.empty(len(space), dtype=np.intp)
    order[space.indices([*names, *tail])] = np.arange(len(space))
    return order


@cache
def _shipped_prior() -> CopulaPrior:
    with resources.files("wav2patch.synths.priors").joinpath("dexed.npz").open("rb") as file:
        return load_prior(dx7_space(), file)  # type: ignore[arg-type]
