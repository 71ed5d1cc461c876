"""A synth whose renders are made in a worker process, as the matcher does with engines that may crash."""

from __future__ import annotations

from typing import Any

import numpy as np

from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.rendering.base import Failure, Sound
from wav2patch.rendering.processes import ProcessRenderer
from wav2patch.synths.base import Audio, RenderError, Synth


class InWorker:
    """Everything is the synth's own but for `render`; a plug-in that leaks or crashes does so elsewhere."""

    def __init__(self, synth: Synth) -> None:
        self._synth = synth
        self._renderer = ProcessRenderer(synth, 1, 60.0, max_tasks=getattr(synth, "max_tasks", None))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._synth, name)

    def render(self, patch: Patch, note: Note, *, length: float, sample_rate: int) -> Audio:
        self._synth.space.validate(patch)
        (result,) = self._renderer.map([patch], Sound(note, length, sample_rate), np.copy)
        if isinstance(result, Failure):
            raise RenderError(result.reason)
        return result

    def close(self) -> None:
        self._renderer.close()
