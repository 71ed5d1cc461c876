"""Trained models for the install without PyTorch: their graphs as ONNX, checked against the originals."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from wav2patch.errors import UserError
from wav2patch.models.inverters.base import Graph
from wav2patch.training.onnx_files import halve_weights, without_traces
from wav2patch.training.saving import Trained, write_model
from wav2patch.weights.card import Card
from wav2patch.weights.folder import ARRAYS, CARD, GraphFile, ModelFolder, new_folder, write_config
from wav2patch.weights.graphs import OnnxGraph

TOLERANCE = 1e-3
"""Largest difference from PyTorch, beside outputs of about 1, with which a graph is kept."""

_BATCH = 3
_LOUD = ("onnxscript", "onnx_ir", "torch.onnx", "torch.export", "torch.fx")


def export(
    trained: Trained, folder: Path | str, *, card: Card | None = None, half: bool = False, weights: bool = True
) -> ModelFolder:
    """Write a model folder with graphs, whole or not at all; a model that is there already makes way.

    Args:
        trained: The model.
        folder: Where it goes.
        card: What people should know; by default what is known of the model, such as the card it has.
        half: Whether the graphs store their weights in half precision; they still compute in single precision.
        weights: Whether the weights for PyTorch come along, with which the model can be evaluated and trained on.

    Raises:
        UserError: Something else is there, the disk refuses it, or a graph differs from the model.
    """
    inverter = trained.inverter.cpu().eval()
    with new_folder(Path(folder)) as place:
        write_model(place, inverter, trained.record, trained.standard, card or _own_card(trained), weights=weights)
        graphs = {name: _export_graph(graph, place / f"{name}.onnx", half) for name, graph in inverter.graphs().items()}
        if tables := _tables(inverter):
            np.savez_compressed(place / ARRAYS, allow_pickle=False, **tables)
        write_config(ModelFolder(place, trained.record, graphs, inverter.sampling))
    return ModelFolder(Path(folder), trained.record, graphs, inverter.sampling)


def _own_card(trained: Trained) -> Card | str:
    """The card in the model's folder, or one that says how many steps its checkpoint counts."""
    path = trained.source / CARD
    return path.read_text(encoding="utf-8") if path.is_file() else Card(steps=trained.steps)


def _tables(inverter: nn.Module) -> Mapping[str, Any]:
    """Arrays that the graphs do not hold; not every inverter has some."""
    tables: Any = getattr(inverter, "tables", dict)
    return tables()


def _export_graph(graph: Graph, path: Path, half: bool) -> GraphFile:
    """Write a graph, run it, and say how far it is from the original."""
    # The exporter gives the steps in between names of its own, such as "mean", and lets outputs have the same.
    names, outputs = tuple(graph.inputs), tuple(f"out.{name}" for name in graph.outputs)
    dynamic = {name: {0: torch.export.Dim.DYNAMIC} for name in names}
    module = graph.module.eval()
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                module,
                (),
                kwargs=dict(graph.inputs),
                input_names=list(names),
                output_names=list(outputs),
                dynamic_shapes=dynamic,
                dynamo=True,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        raise UserError(f"the model has no graph {path.stem} in ONNX: {' '.join(str(error).split())[:200]}.") from error
    assert program is not None
    model = without_traces(program.model_proto)
    path.write_bytes((halve_weights(model) if half else model).SerializeToString())
    file = GraphFile(names, outputs)
    difference = _difference(module, graph.inputs, OnnxGraph(path, file))
    if not difference <= (TOLERANCE if not half else 30 * TOLERANCE):
        raise UserError(
            f"the graph {path.stem} differs from the model by {difference:.2g}: "
            f"{'export without half=true' if half else 'this model cannot be exported'}."
        )
    return GraphFile(names, outputs, difference)


def _difference(module: nn.Module, inputs: Mapping[str, Tensor], graph: OnnxGraph) -> float:
    """Largest difference from the original, relative to the outputs' size, for another batch size than exported."""
    generator = torch.Generator().manual_seed(0)
    given = {name: torch.rand(_BATCH, *one.shape[1:], generator=generator) for name, one in inputs.items()}
    with torch.no_grad():
        wanted = module(**given)
    found = graph(**{name: one.numpy() for name, one in given.items()})
    pairs = zip((wanted,) if isinstance(wanted, Tensor) else wanted, found, strict=True)
    return max(float(np.abs(one.numpy() - other).max() / max(1.0, one.abs().max())) for one, other in pairs)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What PyTorch's exporter prints, warns of and logs on its own account is of no use to anybody."""
    loggers = [logging.getLogger(name) for name in _LOUD]
    levels = [one.level for one in loggers]
    try:
        for one in loggers:
            one.setLevel(logging.CRITICAL)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for one, level in zip(loggers, levels, strict=True):
            one.setLevel(level)
