"""Patches that end or hang what renders them, and are therefore left alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from wav2patch.parameters import Patch

STRIKES = 2


@dataclass(frozen=True, eq=False)
class Skipped:
    """A patch ``(P,)`` that is rendered no more, and what its last attempt did."""

    patch: Patch
    reason: str


class SkipList:
    """Patches that took a worker with them `STRIKES` times.

    One strike may be somebody else's fault: a machine out of memory, a process ended from outside. So the second
    attempt is made, if it is asked for.
    """

    def __init__(self) -> None:
        self._strikes: dict[bytes, int] = {}
        self._skipped: dict[bytes, Skipped] = {}

    @property
    def patches(self) -> tuple[Skipped, ...]:
        """What is skipped, in the order of its discovery."""
        return tuple(self._skipped.values())

    def strike(self, patch: Patch, sound: object, reason: str) -> None:
        """Note that a worker was lost to this patch, played as `sound`."""
        key = _key(patch, sound)
        self._strikes[key] = self._strikes.get(key, 0) + 1
        if self._strikes[key] >= STRIKES:
            self._skipped[key] = Skipped(np.array(patch), reason)

    def find(self, patch: Patch, sound: object) -> Skipped | None:
        """The entry of this patch, played as `sound`; None where it may be rendered."""
        return self._skipped.get(_key(patch, sound)) if self._skipped else None


def _key(patch: Patch, sound: Any) -> bytes:
    return hashlib.blake2b(repr(sound).encode() + np.asarray(patch).tobytes(), digest_size=16).digest()
