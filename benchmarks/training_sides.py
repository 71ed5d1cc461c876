"""One side of training_speed.py, a process of its own: steps as many as each line of its input asks for."""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training_speed import K
from wav2patch.models.inverters.base import Examples
from wav2patch.models.inverters.catalogue import make_inverter
from wav2patch.models.layout import space_layout
from wav2patch.models.noise import Noise
from wav2patch.synths.catalogue import load_synth

SAMPLES, BINS = 1_024, 513
MEL = (2, 128, 401)
PITCHES = 25
DROPOUT, RATE = 0.1, 1e-4
CLIP = {"kosc": 1.0, "surge": 0.5}

OURS: Mapping[str, dict[str, Any]] = {
    "kosc equivariant": {"encoder": "cnn_1d", "field": {"name": "equivariant_transformer"}},
    "kosc assigned": {"encoder": "cnn_1d", "field": {"name": "assigned_transformer", "parameter_tokens": K}},
    "kosc mlp": {"encoder": "cnn_1d", "field": {"name": "mlp"}},
    "surge assigned": {
        "width": 512,
        "encoder": {"name": "spectrogram_transformer", "hidden": 512},
        "field": {
            **{"name": "assigned_transformer", "parameter_tokens": 128},
            **{"width": 512, "layers": 8, "heads": 8, "hidden": 512},
        },
    },
}
"""As in wav2patch/configs."""

Step = Callable[[], float]


def alike(case: str) -> dict[str, Any]:
    """Our settings, changed to the reference's."""
    settings = dict(OURS[case])
    if case.startswith("surge"):
        settings["encoder"] = {**settings["encoder"], "heard": "plain"}
        settings["field"] = {**settings["field"], "time_features": 256, "zero_gates": False}
        return settings
    settings["encoder"] = {"name": settings["encoder"], "norm": "batch", "heard": "plain"}
    settings["field"] = {**settings["field"], "time_features": 0, "zero_gates": False, "shared_condition": True}
    return settings


def columns_of(case: str) -> int:
    return 3 * K if case.startswith("kosc") else 92


def make_batch(case: str, n: int, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """What is heard (signals, or standardised spectrograms), vectors and noise."""
    generator = torch.Generator().manual_seed(0)
    heard = torch.randn(n, *((SAMPLES,) if case.startswith("kosc") else MEL), generator=generator)
    vectors = torch.rand(n, columns_of(case), generator=generator) * 2 - 1
    start = torch.randn(n, columns_of(case), generator=generator)
    return heard.to(device), vectors.to(device), start.to(device)


def make_ours(case: str, settings: Mapping[str, Any], compile: bool) -> tuple[nn.Module, Callable[..., Tensor]]:
    kosc = case.startswith("kosc")
    synth = load_synth(f"kosc_{K}" if kosc else "surge_xt_simple")
    layout = space_layout(synth.space, pitches=0 if kosc else PITCHES)
    assert layout.width == columns_of(case)
    shape = (1, BINS) if kosc else MEL
    inverter = make_inverter({"kind": "flow_matching", **settings}, layout, shape, note=False)
    for network in inverter.children() if compile else ():
        network.compile()

    def loss(heard: Tensor, vectors: Tensor, start: Tensor) -> Tensor:
        features = torch.fft.rfft(heard, norm="forward").abs()[:, None] if kosc else heard
        noise = Noise(0, 0, torch.arange(len(vectors), device=vectors.device))
        return inverter.loss(Examples(features, None, vectors, start=start), noise)["loss"]

    return inverter, loss


def make_reference(case: str, compile: bool) -> tuple[nn.Module, Callable[..., Tensor]]:
    """The reference's networks under its loss: rectified flow, the condition left out one time in ten."""
    parts = {name: importlib.import_module(f"src.models.components.{name}") for name in ("transformer", "residual_mlp")}
    encoder = _reference_encoder(case, parts)
    field = _reference_field(case, parts)
    model = torch.nn.ModuleList([encoder, field])
    if compile:
        encoder.compile()
        field.compile()

    def loss(heard: Tensor, vectors: Tensor, start: Tensor) -> Tensor:
        condition = field.apply_dropout(encoder(heard), DROPOUT)
        times = torch.rand(len(vectors), 1, device=vectors.device)
        predicted = field(start * (1 - times) + vectors * times, times, condition)
        return (predicted - (vectors - start)).square().mean(dim=-1).mean() + field.penalty()

    return model, loss


def _reference_encoder(case: str, parts: Mapping[str, Any]) -> Any:
    if case.startswith("kosc"):
        return importlib.import_module("src.models.components.cnn").ResidualEncoder(SAMPLES, 24, 128, 4, 7)
    return parts["transformer"].AudioSpectrogramTransformer(512, 8, 8, 8, 16, 10, MEL[0], list(MEL[1:]))


def _reference_field(case: str, parts: Mapping[str, Any]) -> Any:
    """As its configuration files of k-osc and of Surge XT Simple have it."""
    columns = columns_of(case)
    if case == "kosc mlp":
        return parts["residual_mlp"].ConditionalResidualMLP(columns, 192, 128, 128, 7, "scalar")
    kosc, transformer = case.startswith("kosc"), parts["transformer"]
    width, tokens = (128, K) if kosc else (512, 128)
    if case == "kosc equivariant":
        projection = transformer.KSinParamToTokenProjection(width, 3)
    else:
        projection = transformer.LearntProjection(width, width, columns, tokens, True, False)
    return transformer.ApproxEquivTransformer(
        projection,
        num_layers=5 if kosc else 8,
        d_model=width,
        conditioning_dim=width,
        num_heads=4 if kosc else 8,
        d_ff=256 if kosc else 512,
        num_tokens=tokens,
        learn_projection=True,
        pe_type="none",
        time_encoding="scalar" if kosc else "sinusoidal",
        projection_penalty=0.0 if case == "kosc equivariant" else 0.01,
        zero_init=False,
    )


def make_step(options: argparse.Namespace) -> tuple[Step, int]:
    """A training step, and the model's number of weights."""
    torch.manual_seed(0)
    case, side, n = options.case, options.side, options.batch
    if side == "reference":
        model, loss = make_reference(case, options.compile)
    else:
        model, loss = make_ours(case, OURS[case] if side == "ours" else alike(case), options.compile)
    model.to(options.device).train()
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    batch = make_batch(case, n, options.device)

    def step() -> float:
        value = loss(*batch)
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP[case.split()[0]])
        optimizer.step()
        return value.item()

    return step, sum(one.numel() for one in model.parameters())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case")
    parser.add_argument("side")
    parser.add_argument("batch", type=int)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--packages", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.side == "reference":
        sys.path[:0] = [str(one) for one in (options.reference, options.packages) if one]
        importlib.import_module("src.models.components.residual_mlp")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step, weights = make_step(options)
    for line in sys.stdin:
        steps, begun, busy = int(line), time.perf_counter(), time.process_time()
        for _ in range(steps):
            step()
        seconds, cpu = (time.perf_counter() - begun) / steps, (time.process_time() - busy) / steps
        if options.device.startswith("cuda"):
            memory = torch.cuda.max_memory_allocated() / 2**20
        else:
            memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
        print(json.dumps({"seconds": seconds, "cpu": cpu, "memory": memory, "weights": weights}), flush=True)


if __name__ == "__main__":
    main()
