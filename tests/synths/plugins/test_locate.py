from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from wav2patch.synths.plugins.host import host_for, is_uri, plugin_format
from wav2patch.synths.plugins.locate import locate, plugin_folders, why_missing

NAMES = ("Toy.vst3", "toy.so")
VARIABLE = "WAV2PATCH_TOY"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (VARIABLE, "VST3_PATH", "VST_PATH", "LV2_PATH"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "platform", "linux")


def bundle(folder: Path, name: str = "Toy.vst3") -> Path:
    binary = folder / name / "Contents" / "x86_64-linux" / "Toy.so"
    binary.parent.mkdir(parents=True)
    binary.touch()
    return folder / name


def test_a_variable_names_the_bundle_or_a_folder_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = bundle(tmp_path / "plugins" / "maker")
    for place in (toy, tmp_path / "plugins", tmp_path / "plugins" / "maker"):
        monkeypatch.setenv(VARIABLE, str(place))
        assert locate(NAMES, VARIABLE) == toy
        assert why_missing(NAMES, VARIABLE) is None
        monkeypatch.delenv(VARIABLE)
        assert locate(NAMES, path=place) == toy


def test_a_file_of_another_name_is_taken_where_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = bundle(tmp_path, "Toy 2.vst3")
    monkeypatch.setenv(VARIABLE, str(renamed))
    assert locate(NAMES, VARIABLE) == renamed


def test_a_variable_that_points_nowhere_is_told_and_nothing_else_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle(tmp_path / "home" / ".vst3")
    for place in (tmp_path / "gone", tmp_path / "gone.vst3"):
        monkeypatch.setenv(VARIABLE, str(place))
        assert locate(NAMES, VARIABLE) is None
        assert why_missing(NAMES, VARIABLE) == (
            f"{VARIABLE} points to {place}, where there is no Toy.vst3 or toy.so: "
            "set it to the path of Toy, or unset it."
        )


def test_usual_folders_are_searched_the_preferred_format_first(tmp_path: Path) -> None:
    assert why_missing(NAMES, VARIABLE) == (
        "Toy is not installed: put Toy.vst3 or toy.so into one of your plug-in folders, "
        "or set WAV2PATCH_TOY to its path."
    )
    vst2 = tmp_path / "home" / ".vst" / "toy.so"
    vst2.parent.mkdir(parents=True)
    vst2.touch()
    assert locate(NAMES, VARIABLE) == vst2
    vst3 = bundle(tmp_path / "home" / ".vst3" / "maker")
    assert locate(NAMES, VARIABLE) == vst3


def test_search_paths_of_hosts_are_heeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = bundle(tmp_path / "b")
    monkeypatch.setenv("VST3_PATH", os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b")]))
    assert locate(NAMES, VARIABLE) == toy


def test_a_spec_may_hold_a_path_or_a_uri(tmp_path: Path) -> None:
    toy = bundle(tmp_path)
    assert locate((str(toy),)) == toy
    assert locate((str(tmp_path / "gone.vst3"),)) is None
    assert str(locate(("http://synthv1.sourceforge.net/lv2",))).startswith("http:/")
    assert why_missing(("urn:toy",)) is None


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_every_system_has_its_folders(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("COMMONPROGRAMFILES", "C:/Program Files/Common Files")
    folders = [str(folder) for folder in plugin_folders("Toy.vst3")]
    usual = {
        "linux": "/usr/lib/vst3",
        "darwin": "/Library/Audio/Plug-Ins/VST3",
        "win32": "C:/Program Files/Common Files/VST3" if os.name == "nt" else "%COMMONPROGRAMFILES%/VST3",
    }
    if platform != "win32" or os.name == "nt":
        assert usual[platform] in folders
    assert not any("%" in folder or "~" in folder for folder in folders)


@pytest.mark.parametrize(
    ("path", "kind", "host"),
    [
        ("a/Surge XT.vst3", "vst3", "pedalboard"),
        ("amsynth_vst.so", "vst2", "dawdreamer"),
        ("Toy.DLL", "vst2", "dawdreamer"),
        ("x.lv2", "lv2", "dawdreamer"),
        ("Toy.component", "au", "pedalboard"),
        ("http://toy.org/lv2", "lv2", "dawdreamer"),
        ("urn:toy:x.vst3", "lv2", "dawdreamer"),
        ("C:/VST/toy.dll", "vst2", "dawdreamer"),
    ],
)
def test_formats_and_hosts_go_by_the_name(path: str, kind: str, host: str) -> None:
    assert plugin_format(path) == kind
    assert host_for(path) == host
    assert is_uri(path) == (kind == "lv2" and not path.endswith(".lv2"))
