"""A process of its own in which a synth's plug-in works, where no renderer's worker is at hand.

Presets are written and read in the program's own process, which a plug-in may end. So its state is asked for over here:
one process a synth, kept for the next question, started again after it died.
"""

from __future__ import annotations

import os
import pickle
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import weakref
from pathlib import Path
from typing import Any

from wav2patch.errors import UserError
from wav2patch.synths.base import RenderError
from wav2patch.synths.plugins.private import FOLDER_VARIABLE

_SIZE = struct.Struct("<q")
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


class Apart:
    """Calls methods of a synth's copy in another process.

    Args:
        synth: Picklable; its copy over there lives as long as the process.
        title: Name for messages.
        deadline: Seconds for one call, loading the plug-in included.
    """

    def __init__(self, synth: object, title: str, deadline: float) -> None:
        self._synth, self._title, self._deadline = synth, title, deadline
        self._process: subprocess.Popen[bytes] | None = None

    def call(self, method: str, *arguments: Any) -> Any:
        """What the method of the synth's copy returns.

        Raises:
            UserError: As the method raised it.
            ValueError: As the method raised it.
            RenderError: The process ended, was not done in time, or the method failed in another way.
        """
        process = self._process or self._start()
        overdue = threading.Event()
        timer = threading.Timer(self._deadline, lambda: (overdue.set(), process.kill()))
        timer.start()
        try:
            _send(process.stdin, (method, arguments))
            kind, answer = _receive(process.stdout)
        except (EOFError, OSError):
            self.close()
            ended = f"ended its process ({process.returncode})"
            raise RenderError(
                f"{self._title} {f'took longer than {self._deadline:g} s' if overdue.is_set() else ended}"
            ) from None
        finally:
            timer.cancel()
        if kind == "told":
            raise UserError(answer)
        if kind == "refused":
            raise ValueError(answer)
        if kind == "failed":
            raise RenderError(f"{self._title} failed: {answer}")
        return answer

    def close(self) -> None:
        """End the process; the next call starts another."""
        if self._process is not None:
            _stop(self._process)
            self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        folder = tempfile.mkdtemp(prefix="wav2patch-plugin-")
        environment = {name: value for name, value in os.environ.items() if name not in _DISPLAYS}
        environment |= {FOLDER_VARIABLE: folder, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, "-m", __name__]
        # A plug-in's own messages are not for the terminal.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        weakref.finalize(self, _stop, process)
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._process = process
        _send(process.stdin, self._synth)
        return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:
                continue
    process.kill()
    process.wait()


def _send(stream: Any, content: object) -> None:
    data = pickle.dumps(content)
    stream.write(_SIZE.pack(len(data)) + data)
    stream.flush()


def _receive(stream: Any) -> Any:
    head = stream.read(_SIZE.size)
    if len(head) < _SIZE.size:
        raise EOFError
    (size,) = _SIZE.unpack(head)
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)


def _serve() -> None:
    """Over there: answer until the other side is gone."""
    # Plug-ins print, and what they print must not get among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    questions = sys.stdin.buffer
    try:
        synth = _receive(questions)
        while True:
            method, arguments = _receive(questions)
            _send(answers, _answer(synth, method, arguments))
    except (EOFError, OSError):
        # The way out through Python would run the plug-in's destructors, some of which crash or hang.
        shutil.rmtree(Path(os.environ[FOLDER_VARIABLE]), ignore_errors=True)
        os._exit(0)


def _answer(synth: object, method: str, arguments: tuple[Any, ...]) -> tuple[str, Any]:
    try:
        return "done", getattr(synth, method)(*arguments)
    except UserError as error:
        return "told", str(error)
    except ValueError as error:
        return "refused", str(error)
    except RenderError as error:
        return "failed", str(error)
    except (Exception, SystemExit) as error:
        return "failed", f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    _serve()
