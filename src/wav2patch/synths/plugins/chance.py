"""The C library's random numbers, from which plug-ins draw phases, detunings and the echoes of their reverbs."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from functools import cache
from typing import Any


def seed_c_library() -> None:
    """Let `rand` and its kin start anew, as they do in a new process; their state is one for the whole process."""
    library = _library()
    for function in ("srand", "srandom", "srand48"):
        with contextlib.suppress(AttributeError):
            getattr(library, function)(1)


@cache
def _library() -> Any:
    try:
        return ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
    except OSError:
        return None
