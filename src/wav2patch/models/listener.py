"""From what a model hears to its condition tokens: an encoder, and the note that was played."""

from __future__ import annotations

import torch
from torch import Tensor, nn

NOTE_FIELDS = 4
"""Pitch, velocity, onset and duration."""


def note_vector(notes: Tensor) -> Tensor:
    """Notes ``(n, 4)`` of pitch, velocity, onset and duration (seconds), scaled to about [−1, 1]."""
    pitch, velocity, onset, duration = notes.unbind(dim=-1)
    # Durations matter by their ratio; 5 ms to 8 s are -1 to 1.
    lasting = torch.log2(duration.clamp(min=1e-3) / 0.2) / 5.3
    return torch.stack([(pitch - 60.0) / 36.0, (velocity - 64.0) / 64.0, onset, lasting], dim=-1)


class Listener(nn.Module):
    """Condition tokens of sounds.

    Args:
        encoder: From features ``(n, *shape)`` to tokens ``(n, tokens, width)``, some with the keys; see `ENCODERS`.
        width: Of a token.
        note: Whether the note that was played is known, and added to every token.
    """

    def __init__(self, encoder: nn.Module, width: int, *, note: bool) -> None:
        super().__init__()
        self.encoder = encoder
        self.note = nn.Sequential(nn.Linear(NOTE_FIELDS, width), nn.GELU(), nn.Linear(width, width)) if note else None

    def forward(self, features: Tensor, notes: Tensor | None = None) -> Tensor:
        """Tokens ``(n, tokens, width)`` of features ``(n, *shape)`` and, where they are known, notes ``(n, 4)``.

        Raises:
            ValueError: The model wants notes and there are none.
        """
        if self.note is None:
            return self.encoder(features)
        if notes is None:
            raise ValueError("this model has to be told what note was played")
        hears_key = getattr(self.encoder, "hears_key", False)
        tokens = self.encoder(features, notes[:, 0]) if hears_key else self.encoder(features)
        return tokens + self.note(note_vector(notes))[:, None]
