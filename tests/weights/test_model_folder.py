"""What a folder of a model says, and how damage of it is told; graphs themselves are in tests/training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_models import TINY, tiny_record

from wav2patch.errors import UserError
from wav2patch.weights.folder import (
    ARRAYS,
    CONFIG,
    STATS,
    GraphFile,
    ModelFolder,
    new_folder,
    open_folder,
    write_config,
)
from wav2patch.weights.model import OnnxModel
from wav2patch.weights.shipped import find_model, shipped_names

_GRAPHS = {"network": GraphFile(("features", "notes"), ("out.vector",), 1e-7)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    path.mkdir()
    write_config(ModelFolder(path, tiny_record(TINY["regression"]), _GRAPHS, {"kind": "direct"}))
    return path


def test_a_config_reads_back(folder: Path) -> None:
    read = open_folder(folder)
    assert read.record.to_dict() == tiny_record(TINY["regression"]).to_dict()
    assert read.graphs == _GRAPHS
    assert read.sampling == {"kind": "direct"}
    assert read.standard() is None
    assert read.arrays() == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "format: one",
        "format: 1",
        "format: 1\nrecord: 3",
        "!!python/object/apply:os.system ['exit 1']",
        "\x00\x01",
    ],
)
def test_a_damaged_config_is_one_sentence(folder: Path, text: str) -> None:
    (folder / CONFIG).write_text(text)
    with pytest.raises(UserError, match="model"):
        open_folder(folder)


@pytest.mark.parametrize("graphs", ["3", "{network: {inputs: [a]}}", "{../network: {inputs: [a], outputs: [b]}}"])
def test_damaged_graphs_are_one_sentence(folder: Path, graphs: str) -> None:
    text = (folder / CONFIG).read_text()
    (folder / CONFIG).write_text(text[: text.index("graphs:")] + f"graphs: {graphs}\n")
    with pytest.raises(UserError, match="damaged"):
        open_folder(folder)


def test_a_config_of_a_later_version_says_so(folder: Path) -> None:
    text = (folder / CONFIG).read_text()
    (folder / CONFIG).write_text(text.replace("format: 1", "format: 2"))
    with pytest.raises(UserError, match="later wav2patch"):
        open_folder(folder)


@pytest.mark.parametrize("name", [STATS, ARRAYS])
def test_arrays_are_never_unpickled(folder: Path, name: str) -> None:
    np.savez(folder / name, mean=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="damaged"):
        open_folder(folder).standard() if name == STATS else open_folder(folder).arrays()


def test_a_missing_or_damaged_graph_is_one_sentence(folder: Path) -> None:
    feature = np.zeros(tiny_record(TINY["regression"]).shape, np.float32)
    from wav2patch.notes import Note

    for content in (None, b"", b"no graph at all"):
        if content is not None:
            (folder / "network.onnx").write_bytes(content)
        with pytest.raises(UserError, match=r"network\.onnx is missing or damaged"):
            OnnxModel(folder).propose(feature, Note(), 1, np.random.default_rng([0]))


def test_a_folder_without_graphs_says_how_to_make_them(folder: Path) -> None:
    write_config(ModelFolder(folder, tiny_record(TINY["regression"])))
    with pytest.raises(UserError, match="wav2patch export"):
        OnnxModel(folder)


def test_a_kind_that_is_unknown_is_one_sentence(folder: Path) -> None:
    write_config(ModelFolder(folder, tiny_record(TINY["regression"]), _GRAPHS, {"kind": "magic"}))
    with pytest.raises(UserError, match="magic"):
        OnnxModel(folder)


def test_the_digest_follows_the_files(folder: Path) -> None:
    before = OnnxModel(folder).digest
    (folder / "card.md").write_text("words")
    assert OnnxModel(folder).digest == before
    (folder / "network.onnx").write_bytes(b"other weights")
    assert OnnxModel(folder).digest != before


def test_models_are_found_by_path_and_by_name(folder: Path) -> None:
    assert find_model(folder) == folder
    assert shipped_names(folder.parent) == ["model"]
    assert find_model("model", folder.parent) == folder
    assert find_model("del", folder.rename(folder.parent / "mo-del").parent, synth="mo") == folder.parent / "mo-del"
    (folder.parent / "mo-del").rename(folder)
    with pytest.raises(UserError, match=r"one that comes along: model\."):
        find_model("modell", folder.parent)
    with pytest.raises(UserError, match="wav2patch export ckpt="):
        find_model(folder / CONFIG)


def test_a_model_makes_way_for_the_next(folder: Path) -> None:
    with new_folder(folder) as place:
        write_config(ModelFolder(place, tiny_record(TINY["flow"])))
        assert open_folder(folder).sampling == {"kind": "direct"}
    assert open_folder(folder).record.inverter["kind"] == "flow_matching"
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_an_error_leaves_the_model_that_was_there(folder: Path) -> None:
    with pytest.raises(RuntimeError), new_folder(folder):
        raise RuntimeError
    assert open_folder(folder).sampling == {"kind": "direct"}
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_nothing_else_makes_way(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="holds no model"), new_folder(tmp_path):
        pass
    assert (tmp_path / "thesis.tex").exists()
