"""Models small enough to be made in no time, of every kind, with what a folder says about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from wav2patch.features.catalogue import load_feature
from wav2patch.features.standard import Standard
from wav2patch.models.inverters.base import Examples, Inverter
from wav2patch.models.inverters.catalogue import make_inverter
from wav2patch.notes import Note
from wav2patch.synths.base import Synth
from wav2patch.synths.catalogue import load_synth
from wav2patch.training.saving import Trained
from wav2patch.weights.hearing import load_hearing
from wav2patch.weights.record import NoteMode, Record

FEATURE = "log_mel:bands=24:hop=0.1"
LENGTH, SAMPLE_RATE = 0.5, 16_000

_ENCODER = {"name": "mlp", "hidden": 8, "blocks": 1}
_HEAD = {"width": 8, "encoder": _ENCODER, "hidden": 8, "blocks": 1}
_FLOW = {"kind": "flow_matching", "width": 8, "encoder": _ENCODER, "sampler": {"name": "heun", "steps": 3}}

TINY: dict[str, dict[str, Any]] = {
    "flow": {**_FLOW, "field": {"name": "mlp", "width": 8, "blocks": 1}},
    "transformer": {
        **_FLOW,
        "field": {
            "name": "assigned_transformer",
            "width": 8,
            "layers": 1,
            "heads": 2,
            "hidden": 8,
            "parameter_tokens": 4,
        },
    },
    "regression": {"kind": "regression", **_HEAD},
    "classification": {"kind": "classification", **_HEAD},
    "inversynth": {"kind": "inversynth", **_HEAD, "decoder_width": 8},
    "chosen": {"kind": "inversynth", **_HEAD, "decoder_width": 8, "chosen_of": 5},
    "estimator": {
        "kind": "estimator",
        **_HEAD,
        "embedding": 4,
        "proxy": {"name": "highway", "hidden": 8, "blocks": 2},
    },
    "vae": {
        "kind": "vae_flow",
        **_HEAD,
        "decoder_width": 8,
        "latent_layers": 2,
        "regression_layers": 2,
    },
    "contrastive": {
        "kind": "contrastive",
        **_HEAD,
        "size": 8,
        "draws": 20,
        "preset_encoder": {"name": "highway", "hidden": 8, "blocks": 2},
    },
    "nearest": {"kind": "nearest_neighbour"},
}
"""Settings of every kind of inverter."""


def tiny_record(
    settings: dict[str, Any], synth: Synth | str = "dexed", *, note: NoteMode = "given", **changes: Any
) -> Record:
    engine = load_synth(synth) if isinstance(synth, str) else synth
    shape = load_feature(FEATURE).shape(1, round(LENGTH * SAMPLE_RATE), SAMPLE_RATE)
    values: dict[str, Any] = {
        "synth": engine.name,
        "space": engine.space.digest,
        "note": note,
        "notes": "paper length=0.5",
        "feature": FEATURE,
        "shape": shape,
        "sample_rate": SAMPLE_RATE,
        "length": LENGTH,
        "channels": 1,
        "inverter": settings,
    }
    return Record(**(values | changes))


def tiny_inverter(record: Record, seed: int = 0) -> Inverter:
    """Its weights are drawn anew and wide, so that what it gives depends on all that it is given."""
    torch.manual_seed(seed)
    inverter = make_inverter(record.inverter, record.layout(), record.shape, note=record.note == "given")
    with torch.no_grad():
        for weights in inverter.parameters():
            weights.copy_(torch.randn_like(weights) * (0.5 / max(weights.shape[-1] if weights.ndim else 1, 1) ** 0.5))
    if record.inverter["kind"] == "nearest_neighbour":
        inverter.fit_data([tiny_examples(inverter, 12)])
    if inverter.wanted_draws:
        inverter.show_draws(tiny_examples(inverter, inverter.wanted_draws).vectors)
    return inverter.eval()


def tiny_examples(inverter: Inverter, n: int) -> Examples:
    generator = torch.Generator().manual_seed(5)
    notes = torch.tensor([60.0, 100.0, 0.0, 0.3]) + torch.rand(n, 4, generator=generator)
    vectors = 2.0 * torch.rand(n, inverter.layout.width, generator=generator) - 1.0
    features = torch.randn(n, *inverter.shape, generator=generator)
    return Examples(features, notes if inverter.tells_note else None, vectors)


def tiny_standard(record: Record) -> Standard:
    generator = np.random.default_rng([7, 7])
    return Standard.of(generator.normal(-40, 10, (*record.shape[-2:-1], 1)), generator.uniform(5, 20, (24, 1)))


def tiny_trained(
    kind: str,
    synth: str = "dexed",
    *,
    note: NoteMode = "given",
    settings: dict[str, Any] | None = None,
    seed: int = 0,
) -> Trained:
    record = tiny_record(settings or TINY[kind], synth, note="none" if kind == "estimator" else note)
    return Trained(tiny_inverter(record, seed), record, tiny_standard(record), load_synth(synth), Path("here"))


def remembering(synth: Synth, patches: NDArray[np.float64], note: Note, *, length: float = LENGTH) -> Trained:
    """A nearest neighbour that knows how these patches sound when they play a note."""
    record = tiny_record(TINY["nearest"], synth)
    hearing = load_hearing(record, None, "here")
    sounds = [synth.render(patch, note, length=length, sample_rate=SAMPLE_RATE) for patch in patches]
    features = torch.from_numpy(np.stack([hearing(sound, SAMPLE_RATE) for sound in sounds]))
    vectors = torch.from_numpy(synth.space.encode(patches)) * 2.0 - 1.0
    told = torch.tensor([note.pitch, note.velocity, note.onset, note.duration]).repeat(len(patches), 1)
    inverter = make_inverter(record.inverter, record.layout(synth), record.shape, note=True)
    inverter.fit_data([Examples(features, told, vectors)])
    return Trained(inverter.eval(), record, None, synth, Path("here"))


class SameNoise:
    """A NumPy generator that draws PyTorch's numbers."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def standard_normal(self, size: tuple[int, ...], dtype: Any = None) -> NDArray[np.float32]:
        return torch.randn(size, generator=self._generator).numpy()

    def random(self, size: tuple[int, ...], dtype: Any = None) -> NDArray[np.float32]:
        return torch.rand(size, generator=self._generator).numpy()
