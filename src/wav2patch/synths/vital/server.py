"""Plays presets, each on an engine that has never played: a small program that `player.py` starts.

Vital keeps something of every note: smoothed controls, phases of effects, filters of its 33 voices. A new engine for
every render would cost 60 ms; a fork of a process that holds one, unused, costs a sixth of that, and whatever the
render does to its engine goes with it.

It reads requests from standard input, one JSON object a line. The first holds the sample rate and the preset with
wavetables that the engine starts from; every other one a preset and a note. The answer to a request is a line with
the number of samples and the audio as float32, left then right; a number below 0 says that the render failed.
"""

import json
import os
import signal
import sys
from typing import Any, BinaryIO

import numpy  # noqa: F401 - vita needs it for its first result: loaded here, every fork has it
from vita.vita import Synth

MARGIN = 320
"""Samples to render beyond what is wanted: vita fades out the last 200, in blocks of 64."""

SETTLE = 0.2
"""Seconds that are played before the note, and thrown away.

Vital glides from the value that a control had to the one that a preset sets, with a time constant of 32 ms. In a host
that is over when a key is pressed; without it a level or a cutoff of a preset would be heard arriving from Vital's
default.
"""

FAILED = -1


def play(engine: Synth, request: dict[str, Any], sample_rate: int) -> bytes:
    """The audio of one request, float32, left then right.

    Raises:
        ValueError: The engine refuses the preset.
    """
    if not engine.load_json(request["preset"]):
        raise ValueError("vita refused a preset")
    samples, pitch, velocity = request["samples"], request["pitch"], request["velocity"]
    engine.render(pitch, velocity, 0.01, SETTLE)
    # A hold of less than a sample would never be released.
    hold = max(request["hold"], 1.5 / sample_rate)
    audio = engine.render(pitch, velocity, hold, (samples + MARGIN) / sample_rate)
    return audio[:, :samples].tobytes()


def answer(engine: Synth, line: bytes, sample_rate: int, out: BinaryIO) -> None:
    """Answer a request from a fork of this process."""
    child = os.fork()
    if child == 0:
        try:
            request = json.loads(line)
            audio = play(engine, request, sample_rate)
            out.write(b"%d\n" % request["samples"] + audio)
            out.flush()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        out.write(b"%d\n" % FAILED)
        out.flush()


def main() -> None:
    """Answer requests until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The engine writes to standard output now and then: what it writes must not get between answers.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    start = json.loads(sys.stdin.buffer.readline())
    engine = Synth()
    engine.set_sample_rate(start["sample_rate"])
    if not engine.load_json(start["preset"]):
        sys.exit(1)
    for line in sys.stdin.buffer:
        answer(engine, line, start["sample_rate"], out)


if __name__ == "__main__":
    main()
