"""What `test_audio_model_contract.py` asks of every model, in two passes: for networks that take seconds."""

from __future__ import annotations

import torch
from filling import two_sounds

from wav2patch.audio_models.base import AudioModel, FrozenModel
from wav2patch.audio_models.catalogue import AUDIO_MODELS


def check_promises(model: FrozenModel, name: str) -> None:
    """Take a sound and silence through a model that has the name `name` in the catalogue."""
    entry, rate = AUDIO_MODELS[name], model.sample_rate
    assert isinstance(model, AudioModel)
    assert model.name == name
    assert entry.size == (None if model.time_structured else model.size)
    sound = two_sounds(round(0.07 * rate), rate)[1:]
    audio = torch.cat([sound, torch.zeros_like(sound)]).requires_grad_()
    vectors = model.embed(audio)
    assert vectors.ndim == 2 + model.time_structured
    assert (len(vectors), vectors.shape[-1]) == (2, model.size)
    assert vectors.dtype == torch.float32
    assert vectors.isfinite().all()
    assert (vectors[0] - vectors[1]).abs().max() > 0.01 * vectors.abs().max()
    with torch.no_grad():
        torch.testing.assert_close(model.embed(sound), vectors[:1], rtol=1e-4, atol=1e-4)
    # Not the squares: vectors of length 1 have the same sum whatever is heard, and a gradient of rounding errors.
    (vectors * torch.linspace(-1.0, 1.0, model.size)).sum().backward()
    assert audio.grad is not None
    assert audio.grad.isfinite().all()
    assert audio.grad[0].any()
    assert not any(weight.requires_grad for weight in model.parameters())
    assert not any(module.training for module in model.train().modules())
