"""A preset that patches are laid on top of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from wav2patch.parameters import ParameterSpace, Patch
from wav2patch.synths.vital.document import Document, modern, read_document
from wav2patch.synths.vital.reader import Reading, read_patch
from wav2patch.synths.vital.space import vital_space
from wav2patch.synths.vital.writer import changed


@dataclass(frozen=True, eq=False)
class BasePreset:
    """A preset with what it reads as.

    Attributes:
        document: The preset.
        reading: The patch closest to it.
    """

    document: Document
    reading: Reading

    @classmethod
    def read(cls, path: Path | str) -> BasePreset:
        """Read a ``.vital`` file.

        Raises:
            UserError: It is missing or no preset of Vital.
        """
        document = modern(read_document(path))
        return cls(document, read_patch(document))

    @cached_property
    def space(self) -> ParameterSpace:
        """The parameters of Vital, all taken as active.

        A modulation that only the base knows may make anything heard that a patch alone would leave silent.
        """
        return replace(vital_space(), activities=(), symmetries=())

    def with_patch(self, patch: Patch) -> Document:
        """The preset with the values of a patch ``(P,)``; what the patch has as the base stays as it is."""
        return changed(self.document, self.reading.patch, patch, self.reading.places)

    def settings(self, patch: Patch) -> dict[str, Any]:
        """The settings for one render, without wavetables."""
        settings = self.with_patch(patch)["settings"]
        return {name: value for name, value in settings.items() if name != "wavetables"}
