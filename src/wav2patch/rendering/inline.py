"""One render after the other, in the caller's own thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from wav2patch.parameters import Patch
from wav2patch.rendering.base import Failure, Sound, each_sound, render_one
from wav2patch.synths.base import Audio, Synth

T = TypeVar("T")


class InlineRenderer:
    """Renders in line: nothing to start or stop, and no deadline, as nothing could enforce it."""

    workers = 1
    skipped = ()

    def __init__(self, synth: Synth) -> None:
        self.synth = synth

    def map(
        self, patches: Sequence[Patch], sound: Sound | Sequence[Sound], then: Callable[[Audio], T]
    ) -> list[T | Failure]:
        """Render every patch; see `Renderer.map`."""
        sounds = each_sound(patches, sound)
        return [render_one(self.synth, patch, one, then) for patch, one in zip(patches, sounds, strict=True)]

    def close(self) -> None:
        """Nothing to let go of."""
