"""Graphs of a model, run by onnxruntime."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wav2patch.errors import UserError
from wav2patch.weights.folder import GraphFile, ModelFolder

_ERRORS_ONLY = 3


class OnnxGraph:
    """One graph, on one processor core, so that its numbers do not depend on how many there are.

    It is loaded when it is first run, and loaded again where it is unpickled.

    Args:
        path: The file.
        names: Of what it takes and gives.
    """

    def __init__(self, path: Path, names: GraphFile) -> None:
        self.path, self.names = path, names

    def __call__(self, **inputs: NDArray[np.floating]) -> tuple[NDArray[np.float32], ...]:
        """Run it.

        Args:
            inputs: By their names, the batch first; those that the graph does not take are left out.

        Raises:
            UserError: The file is missing or damaged.
        """
        given = {name: np.ascontiguousarray(inputs[name], dtype=np.float32) for name in self.names.inputs}
        return tuple(self._session.run(list(self.names.outputs), given))

    @cached_property
    def _session(self) -> Any:
        # A compiled library that a command without a model does not need.
        import onnxruntime  # noqa: PLC0415

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        try:
            session = onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
        # Its exceptions have no class in common but this one.
        except Exception as error:
            raise UserError(f"{self.path} is missing or damaged: fetch or export the model again.") from error
        offered = {one.name for one in session.get_inputs()}, {one.name for one in session.get_outputs()}
        if not (offered[0] == {*self.names.inputs} and offered[1] >= {*self.names.outputs}):
            raise UserError(f"{self.path} is not the graph that its folder describes: fetch or export the model again.")
        return session

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "names": self.names}


def load_graphs(folder: ModelFolder) -> dict[str, OnnxGraph]:
    """The graphs of a model folder by their names, not loaded yet."""
    return {name: OnnxGraph(folder.graph_path(name), names) for name, names in folder.graphs.items()}
