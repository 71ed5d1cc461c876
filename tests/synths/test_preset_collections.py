"""Collections of preset files."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from dexed import Patch as DexedPatch
from numpy.testing import assert_array_equal
from preset_collections import WRITABLE, drawn, write

from wav2patch.errors import UserError
from wav2patch.priors import distinct
from wav2patch.synths.base import RenderError, Synth
from wav2patch.synths.catalogue import load_synth
from wav2patch.synths.collections import read_collection
from wav2patch.synths.dexed import to_voice


@pytest.fixture(params=WRITABLE)
def format_synth(request: pytest.FixtureRequest) -> Synth:
    return load_synth(request.param)


def test_every_format_is_read_in_folders_of_folders(format_synth: Synth, tmp_path: Path) -> None:
    patches = drawn(format_synth, 4)
    for i, folder in enumerate((tmp_path, tmp_path / "a", tmp_path / "a" / "b (old)", tmp_path / "c.d")):
        write(format_synth, patches[i], folder, f"preset {i}")
    write(format_synth, patches[0], tmp_path / "copy", "again")
    (tmp_path / "readme.txt").write_text("no preset, and none that anyone would take for one")
    (tmp_path / f"folder{format_synth.preset_suffix}").mkdir()
    collection = read_collection(format_synth, tmp_path)
    assert_array_equal(collection.patches, distinct(format_synth.space, patches))
    assert collection.presets == 5
    assert collection.remark is None


def test_a_file_by_itself_may_have_any_ending(format_synth: Synth, tmp_path: Path) -> None:
    patch = drawn(format_synth, 1)
    path = write(format_synth, patch[0], tmp_path, "one")
    assert_array_equal(read_collection(format_synth, path).patches, patch)
    shutil.copy(path, tmp_path / "preset.backup")
    assert_array_equal(read_collection(format_synth, tmp_path / "preset.backup").patches, patch)
    path.rename(tmp_path / f"LOUD{path.suffix.upper()}")
    assert_array_equal(read_collection(format_synth, tmp_path).patches, patch)


def test_banks_of_another_program_are_read_whole(dexed: Synth, tmp_path: Path) -> None:
    patches = drawn(dexed, 64)
    for number in range(2):
        voices = [DexedPatch.from_sysex(to_voice(p) + b"\x3f") for p in patches[32 * number :][:32]]
        DexedPatch.save_to_bank(str(tmp_path / f"{number}.syx"), voices)
    collection = read_collection(dexed, tmp_path)
    assert collection.presets == 64
    assert_array_equal(collection.patches, distinct(dexed.space, patches))


def test_names_and_places_of_files_make_no_difference(dexed: Synth, tmp_path: Path) -> None:
    patches = drawn(dexed, 6)
    for i, patch in enumerate(patches):
        write(dexed, patch, tmp_path / "one", f"{i}")
        write(dexed, patch, tmp_path / "other" / f"{9 - i}", f"{5 - i}")
    dexed.write_bank(list(patches), tmp_path / "bank" / "all.syx", [""] * 6)
    one, other, bank = (read_collection(dexed, tmp_path / name).patches for name in ("one", "other", "bank"))
    assert one.tobytes() == other.tobytes() == bank.tobytes()
    several = read_collection(dexed, tmp_path / "other", tmp_path / "one", tmp_path / "bank" / "all.syx")
    assert several.patches.tobytes() == one.tobytes()
    assert several.presets == 6 + 6 + 32


def test_files_that_cannot_be_read_are_counted_and_the_first_are_named(dexed: Synth, tmp_path: Path) -> None:
    write(dexed, drawn(dexed, 1)[0], tmp_path, "good")
    for name in "edcba":
        (tmp_path / f"{name}.syx").write_bytes(b"\xf0\x43 garbage")
    (tmp_path / "dangling.syx").symlink_to(tmp_path / "nowhere")
    collection = read_collection(dexed, tmp_path)
    assert len(collection.patches) == 1
    assert [path.name for path in collection.unreadable] == [
        "a.syx",
        "b.syx",
        "c.syx",
        "d.syx",
        "dangling.syx",
        "e.syx",
    ]
    assert all(path.name in reason for path, reason in zip(collection.unreadable, collection.reasons, strict=True))
    named = ", ".join(str(tmp_path / name) for name in ("a.syx", "b.syx", "c.syx"))
    assert collection.remark == f"6 files were passed over, as no preset could be read: {named} and 3 more."


def test_a_plugin_that_crashes_on_a_file_costs_that_file(dexed: Synth, tmp_path: Path) -> None:
    class Touchy:
        def __getattr__(self, name: str) -> object:
            return getattr(dexed, name)

        def read_presets(self, path: Path) -> object:
            if path.stem == "bad":
                raise RenderError("it crashed")
            return dexed.read_presets(path)

    for name, patch in zip(("bad", "good"), drawn(dexed, 2), strict=True):
        write(dexed, patch, tmp_path, name)
    collection = read_collection(Touchy(), tmp_path)  # pyright: ignore[reportArgumentType]
    assert (len(collection.patches), collection.reasons) == (1, ("it crashed",))


def test_places_without_presets_are_refused_in_a_sentence(format_synth: Synth, tmp_path: Path) -> None:
    title, ending = format_synth.title, format_synth.preset_suffix
    (tmp_path / "empty").mkdir()
    for name in ("one", "two"):
        (tmp_path / "garbage").mkdir(exist_ok=True)
        (tmp_path / "garbage" / f"{name}{ending}").write_bytes(b"\x00\x01 garbage")
    for place, parts in (
        ("missing", ["there is no folder", "missing"]),
        (f"missing{ending}", ["there is no file", f"missing{ending}"]),
        ("n" * 5000, ["there is no folder"]),
        ("empty", [f"holds no presets of {title}: give {ending} files"]),
        ("garbage", [f"holds no presets of {title}: none of its 2 {ending} files could be read", f"one{ending}"]),
        (f"garbage/one{ending}", [f"one{ending} holds no"]),
    ):
        with pytest.raises(UserError) as caught:
            read_collection(format_synth, tmp_path / place)
        sentence = str(caught.value)
        assert all(part in sentence for part in parts), sentence
        assert "\n" not in sentence
        assert sentence.endswith(".")
        assert not sentence.endswith("..")


def test_presets_of_another_synth_are_refused(tmp_path: Path) -> None:
    voices, osc = load_synth("dexed"), load_synth("kosc_4")
    write(osc, drawn(osc, 1)[0], tmp_path, "other")
    with pytest.raises(UserError, match=r"its only \.json file could not be read; .*one of kosc_4"):
        read_collection(load_synth("ksin_16"), tmp_path)
    with pytest.raises(UserError, match=r"give \.syx files"):
        read_collection(voices, tmp_path)


def test_a_collection_needs_a_place(dexed: Synth) -> None:
    with pytest.raises(ValueError, match="at least one path"):
        read_collection(dexed)


def test_patches_are_ready_to_draw_from(format_synth: Synth, tmp_path: Path) -> None:
    write(format_synth, drawn(format_synth, 1)[0], tmp_path, "one")
    patches = read_collection(format_synth, tmp_path).patches
    assert patches.dtype == np.float64
    assert_array_equal(format_synth.space.decode(format_synth.space.encode(patches)), patches)
