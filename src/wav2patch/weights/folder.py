"""The folder that a model lies in: plain text, numbers and graphs, never anything that could run code.

config.yaml        the record, and how proposals are made of the graphs
space.json         the parameter space that it proposes patches of
stats.npz          what standardises the feature
model.safetensors  the weights for PyTorch; a model that is handed to musicians may lack them
NAME.onnx          the graphs that run without PyTorch
arrays.npz         numbers that the graphs do not hold
card.md            what people should know
"""

from __future__ import annotations

import contextlib
import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from wav2patch.errors import UserError
from wav2patch.features.standard import Standard
from wav2patch.files import temporary_path
from wav2patch.parameters import ParameterSpace
from wav2patch.weights.record import Record

FORMAT = 1
CONFIG, SPACE, STATS, WEIGHTS, ARRAYS, CARD = (
    *("config.yaml", "space.json", "stats.npz"),
    *("model.safetensors", "arrays.npz", "card.md"),
)


@dataclass(frozen=True)
class GraphFile:
    """A graph of a model.

    Attributes:
        inputs: Names of what it takes.
        outputs: Names of what it gives.
        difference: Largest absolute difference from PyTorch that was seen when it was made.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    difference: float = 0.0


@dataclass(frozen=True, eq=False)
class ModelFolder:
    """A model on disk.

    Attributes:
        path: The folder.
        record: What the model is.
        graphs: Its graphs by name; none if it was not exported.
        sampling: How proposals are made of them, plain values.
    """

    path: Path
    record: Record
    graphs: Mapping[str, GraphFile] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)

    def standard(self) -> Standard | None:
        """What standardises the feature, None for a model of raw features.

        Raises:
            UserError: The file is damaged.
        """
        if not (self.path / STATS).exists():
            return None
        arrays = read_arrays(self.path / STATS)
        if not {"mean", "scale"} <= arrays.keys():
            raise UserError(f"{self.path / STATS} is damaged: it has no mean or no scale.")
        return Standard(arrays["mean"].astype(np.float32), arrays["scale"].astype(np.float32))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Numbers that the graphs do not hold, by name.

        Raises:
            UserError: The file is damaged.
        """
        return read_arrays(self.path / ARRAYS) if (self.path / ARRAYS).exists() else {}

    def graph_path(self, name: str) -> Path:
        """Where a graph lies."""
        return self.path / f"{name}.onnx"


def is_model_folder(path: Path) -> bool:
    """Whether a path is a folder that holds a model."""
    return (path / CONFIG).is_file()


def open_folder(path: Path | str) -> ModelFolder:
    """Read what a folder says about its model.

    Raises:
        UserError: It is no model folder, or a damaged one.
    """
    path = Path(path)
    if not is_model_folder(path):
        raise UserError(f"{path} is no model folder: it has no {CONFIG}; `wav2patch export` makes one of a checkpoint.")
    told = _read_config(path / CONFIG)
    record = Record.from_dict(told.get("record"), path)
    try:
        graphs = {str(name): _graph(values) for name, values in told.get("graphs", {}).items()}
        sampling = dict(told.get("sampling", {}))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise UserError(f"{path / CONFIG} is damaged: its graphs cannot be read.") from error
    if wrong := next((name for name in graphs if not name.isidentifier()), None):
        raise UserError(f"{path / CONFIG} is damaged: {wrong!r} is no name of a graph.")
    return ModelFolder(path, record, graphs, sampling)


def write_config(folder: ModelFolder) -> None:
    """Write ``config.yaml``."""
    content = {
        "format": FORMAT,
        "record": folder.record.to_dict(),
        "graphs": {name: _plain_graph(graph) for name, graph in folder.graphs.items()},
        "sampling": dict(folder.sampling),
    }
    (folder.path / CONFIG).write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def write_space(path: Path, space: ParameterSpace) -> None:
    """Write ``space.json``: what each number of an encoding means, for whoever has no wav2patch."""
    parameters = [{"kind": type(one).__name__.lower(), **asdict(one)} for one in space.parameters]
    content = json.dumps({"digest": space.digest, "parameters": parameters}, indent=1, ensure_ascii=False)
    (path / SPACE).write_text(content + "\n", encoding="utf-8")


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an npz file, none of them pickled.

    Raises:
        UserError: It is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is missing or damaged.") from error


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to write a model into that takes its name, or the place of the model there, when the block ends well.

    Raises:
        UserError: Something else is there, or the disk refuses it.
    """
    if path.exists() and not is_model_folder(path) and not (path.is_dir() and not any(path.iterdir())):
        raise UserError(f"{path} is there and holds no model: choose another name.")
    temporary = temporary_path(path)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if path.exists():
            old = temporary_path(path)
            path.rename(old)
            temporary.rename(path)
            shutil.rmtree(old, ignore_errors=True)
        else:
            temporary.rename(path)
    except OSError as error:
        raise UserError(f"{path} could not be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read: it is damaged, or no file of wav2patch.") from error
    if not isinstance(told, dict) or not isinstance(told.get("format"), int):
        raise UserError(f"{path} is not the config of a wav2patch model.")
    if told["format"] > FORMAT:
        raise UserError(f"{path} was written by a later wav2patch: bring yours up to date.")
    return told


def _graph(values: Mapping[str, Any]) -> GraphFile:
    inputs, outputs = (tuple(map(str, values[what])) for what in ("inputs", "outputs"))
    return GraphFile(inputs, outputs, float(values.get("difference", 0.0)))


def _plain_graph(graph: GraphFile) -> dict[str, Any]:
    return {"inputs": list(graph.inputs), "outputs": list(graph.outputs), "difference": graph.difference}
