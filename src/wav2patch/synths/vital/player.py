"""An engine that plays every preset as if it were its first.

Where processes can be forked, one helper process (`server.py`) a thread does; elsewhere every render makes an engine
of its own, which takes 60 ms longer.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np

from wav2patch.notes import Note
from wav2patch.synths.base import Audio, RenderError

CAN_FORK = sys.platform.startswith("linux")
"""Forks of a process with an engine in it are safe on Linux, doubtful on macOS and unknown to Windows."""

_SERVER = Path(__file__).with_name("server.py")
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""One thread, as forks of threaded processes may hang; large pages, as they make forks four times cheaper."""


class Player:
    """A helper process with an engine that has never played.

    Args:
        start: Preset with the wavetables that the engine starts from, as JSON.
        sample_rate: In Hz.
    """

    def __init__(self, start: str, sample_rate: int) -> None:
        self.start, self.sample_rate, self.owner = start, sample_rate, os.getpid()
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | _ENVIRONMENT,
        )
        self.close = weakref.finalize(self, _end, self._process, self.owner)
        self._send({"preset": start, "sample_rate": sample_rate})

    def fits(self, sample_rate: int) -> bool:
        """Whether it can play at a sample rate in this process; closed ones and those of a parent process cannot."""
        return self.close.alive and self.sample_rate == sample_rate and self.owner == os.getpid()

    def play(self, preset: str, note: Note, samples: int) -> Audio:
        """Play a note, which starts at once, with a preset; float32 ``(2, samples)``.

        Raises:
            RenderError: The engine refused the preset or crashed.
        """
        try:
            self._send(request(preset, note, samples))
            return self._receive(samples)
        except BaseException:
            # Whatever went wrong, the next answer on the line may belong to this request.
            self.close()
            raise

    def _send(self, content: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(content).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise RenderError("Vital's helper process ended") from error

    def _receive(self, samples: int) -> Audio:
        assert self._process.stdout is not None
        head = self._process.stdout.readline()
        if not head or int(head) != samples:
            raise RenderError("Vital's engine failed on this patch" if head else "Vital's helper process ended")
        content = self._process.stdout.read(8 * samples)
        if len(content) != 8 * samples:
            raise RenderError("Vital's helper process ended in the middle of a render")
        return np.frombuffer(content, dtype=np.float32).reshape(2, samples)


def request(preset: str, note: Note, samples: int) -> dict[str, Any]:
    """What the server is asked to play."""
    held = {"pitch": note.pitch, "velocity": note.velocity / 127.0, "hold": note.duration}
    return {"preset": preset, "samples": samples, **held}


def play_once(start: str, preset: str, note: Note, samples: int, sample_rate: int) -> Audio:
    """Play as `Player` does, in this process, on an engine that is made for this one render.

    Raises:
        RenderError: The engine refused the preset.
    """
    from vita.vita import Synth  # noqa: PLC0415 - only where processes cannot be forked

    from wav2patch.synths.vital.server import play  # noqa: PLC0415 - imports vita

    engine = Synth()
    engine.set_sample_rate(sample_rate)
    engine.load_json(start)
    try:
        content = play(engine, request(preset, note, samples), sample_rate)
    except ValueError as error:
        raise RenderError(str(error)) from error
    return np.frombuffer(content, dtype=np.float32).reshape(2, samples)


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    # In a fork of the process that started the helper, it is not ours to end.
    if os.getpid() == owner:
        process.kill()
        process.wait()
