"""Generation: rows are functions of (seed, i), whatever renders them, and what is there is whole."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from wav2patch.datasets.recipes.plan import Plan, load_plan, make_plan
from wav2patch.datasets.recipes.recipe import MANIFEST, Recipe, shard_name
from wav2patch.datasets.recipes.wishes import Wishes
from wav2patch.datasets.shards.generate import Progress, generate, missing_shards
from wav2patch.datasets.shards.shard import Shard
from wav2patch.datasets.storage.base import open_storage
from wav2patch.errors import UserError
from wav2patch.metrics.loudness import integrated_loudness
from wav2patch.notes import Note
from wav2patch.parameters import Patch
from wav2patch.priors import draw
from wav2patch.rendering.base import Failure, Renderer, Sound
from wav2patch.rendering.choose import make_renderer
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.synths.base import Audio, Synth
from wav2patch.synths.catalogue import load_synth

T = TypeVar("T")

WISHES = Wishes(
    count=50,
    shard_rows=16,
    prior="uniform",
    notes="wide longest=0.4",
    length=0.5,
    sample_rate=22050,
    gate="-45",
    seed=3,
)


def plan_for(wishes: Wishes = WISHES) -> Plan:
    synth = load_synth(wishes.synth)
    return make_plan(wishes, synth, InlineRenderer(synth))


def make(folder: Path, renderer: Renderer | None = None, plan: Plan | None = None, **options: range) -> Progress:
    plan = plan or plan_for()
    with contextlib.closing(renderer or InlineRenderer(plan.synth)) as rendering:
        done = generate(plan, open_storage(folder), rendering, **options)
    assert done.failure is None
    return done


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.*"))}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets") / "in one go"
    make(folder)
    return folder


def test_a_row_is_what_its_seed_and_index_give(made: Path, dexed: Synth) -> None:
    plan = load_plan(open_storage(made))
    with Shard(made / shard_name(1)) as shard:
        assert (shard.first, len(shard)) == (16, 16)
        for k in range(len(shard)):
            attempt = int(shard.read("attempt", k))
            patch, note = draw(plan.prior, 3, 16 + k, attempt), plan.notes.draw(3, 16 + k, attempt)
            assert_array_equal(shard.read("parameters", k), dexed.space.encode(patch))
            assert_array_equal(dexed.space.decode(shard.read("parameters", k)), patch)
            assert_array_equal(shard.read("notes", k), [note.pitch, note.velocity, note.onset, note.duration])
            audio = dexed.render(patch, note, length=0.5, sample_rate=22050).astype(np.float16)
            assert_array_equal(shard.read("audio", k), audio)
            assert shard.read("loudness", k) == np.float32(integrated_loudness(audio.astype(np.float32), 22050))
            assert shard.read("loudness", k) >= -45
            feature = plan.features[0](audio.astype(np.float32), 22050)
            assert_array_equal(shard.read("features/log_mel", k), feature.astype(np.float16))


def test_rejected_draws_are_drawn_anew_and_counted(made: Path, dexed: Synth) -> None:
    plan, attempts, rejected = load_plan(open_storage(made)), 0, 0
    for number in range(4):
        with Shard(made / shard_name(number)) as shard:
            attempts += int(shard.read_slice("attempt", 0, len(shard)).sum())
            rejected += shard.rejected.get("too quiet", 0)
            for k in np.flatnonzero(shard.read_slice("attempt", 0, len(shard))):
                note = plan.notes.draw(3, shard.first + k, 0)
                audio = dexed.render(draw(plan.prior, 3, shard.first + k, 0), note, length=0.5, sample_rate=22050)
                assert not integrated_loudness(audio.astype(np.float16).astype(np.float32), 22050) >= -45
    assert attempts == rejected > 0


@pytest.mark.parametrize(
    "renderer",
    [lambda synth: make_renderer(synth, 1, processes=True), lambda synth: make_renderer(synth, 3, processes=True)],
    ids=["one process", "three processes"],
)
def test_the_renderer_changes_no_byte(made: Path, tmp_path: Path, renderer: Callable[[Synth], Renderer]) -> None:
    plan = plan_for()
    make(tmp_path / "again", renderer(plan.synth), plan)
    assert contents(tmp_path / "again") == contents(made)


def test_any_shard_can_be_made_alone(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    for shards in (range(2, 4), range(0, 1)):
        make(folder, shards=shards)
    assert missing_shards(load_plan(open_storage(folder)).recipe, open_storage(folder)) == [1]
    done = make(folder)
    assert (done.rows, done.there) == (16, 34)
    assert contents(folder) == contents(made)


def test_what_is_complete_is_left_alone(made: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*.h5")}
    assert make(made).wanted == 0
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*.h5")} == before


@pytest.mark.parametrize(
    "change",
    [{"seed": 4}, {"count": 60}, {"notes": "C4"}, {"gate": "-50"}, {"features": ()}, {"prior": "synth"}],
    ids=str,
)
def test_another_set_is_not_written_into(made: Path, change: dict[str, object]) -> None:
    before = contents(made)
    with pytest.raises(UserError, match="was made otherwise"):
        make(made, plan=plan_for(dataclasses.replace(WISHES, **change)))  # type: ignore[arg-type]
    assert contents(made) == before


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _of_another_set(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        recipe = Recipe.from_json(str(file.attrs["recipe"]))
        file.attrs["recipe"] = dataclasses.replace(recipe, seed=9).to_json()


def _of_another_place(path: Path) -> None:
    path.write_bytes(path.with_name("shard-000000.h5").read_bytes())


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_cut, "damaged"),
        (lambda path: path.write_text("hello"), "damaged or no HDF5 file"),
        (lambda path: path.write_bytes(b""), "damaged or no HDF5 file"),
        (_of_another_set, "belongs to another data set .seed 9 and seed 3."),
        (_of_another_place, "other rows"),
    ],
)
def test_a_bad_shard_is_named(made: Path, tmp_path: Path, damage: Callable[[Path], None], sentence: str) -> None:
    folder = tmp_path / "bad"
    for name, content in contents(made).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    damage(folder / shard_name(2))
    with pytest.raises(UserError, match=rf"shard-000002.h5 .*{sentence}"):
        make(folder)


def test_a_prior_that_gives_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"drawn 100 times and rejected every time .100 × too quiet.; the gate is 40"):
        make(tmp_path / "mute", plan=plan_for(dataclasses.replace(WISHES, gate="40")))
    assert not list(tmp_path.rglob("*.h5"))


class Broken:
    """Renders the first note that it is asked for, and no other."""

    workers = 1
    skipped = ()

    def __init__(self, renderer: Renderer, calls: int) -> None:
        self.renderer, self.calls = renderer, calls

    def map(self, *arguments: object) -> list[object]:
        self.calls -= 1
        if self.calls < 0:
            raise KeyboardInterrupt
        return self.renderer.map(*arguments)  # type: ignore[arg-type,return-value]

    def close(self) -> None:
        self.renderer.close()


class Unlucky:
    """Loses every fifth render, no patch twice, as if its worker had been killed."""

    workers = 1
    skipped = ()

    def __init__(self, renderer: Renderer) -> None:
        self.renderer, self.lost = renderer, set[bytes]()

    def map(self, patches: Sequence[Patch], sounds: Sequence[Sound], then: Callable[[Audio], T]) -> list[T | Failure]:
        results = self.renderer.map(patches, sounds, then)
        for i in range(4, len(results), 5):
            if patches[i].tobytes() not in self.lost:
                results[i] = Failure("killed")
                self.lost.add(patches[i].tobytes())
        return results

    def close(self) -> None:
        self.renderer.close()


def test_a_render_that_was_lost_does_not_change_its_row(made: Path, tmp_path: Path) -> None:
    plan = plan_for()
    with contextlib.closing(Unlucky(InlineRenderer(plan.synth))) as renderer:
        done = generate(plan, open_storage(tmp_path / "set"), renderer)
    assert len(renderer.lost) > 5
    assert done.failure == "killed"
    assert contents(tmp_path / "set") == contents(made)


@pytest.mark.parametrize("calls", [0, 1, 2, 3])
def test_what_stops_it_leaves_whole_shards(made: Path, tmp_path: Path, calls: int) -> None:
    plan = plan_for()
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "set", Broken(InlineRenderer(plan.synth), calls), plan)  # type: ignore[arg-type]
    there = contents(tmp_path / "set")
    assert there == {name: content for name, content in contents(made).items() if name in there}
    assert not list(tmp_path.rglob(".*"))
    make(tmp_path / "set")
    assert contents(tmp_path / "set") == contents(made)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"count": 0}, "at least one row"),
        ({"seed": -1}, "0 or more"),
        ({"sample_rate": 8000}, "at least 16000 Hz"),
        ({"length": 0.0}, "at least one sample"),
        ({"audio": "mp3"}, "float16 or none"),
        ({"audio": "none", "features": ()}, "nothing would be stored"),
        ({"features": ("log_mel", "log_mel")}, "twice"),
        ({"features": ("cepstrum",)}, "cepstrum"),
        ({"gate": "loud"}, "LUFS"),
        ({"prior": "wishful"}, "wishful"),
        ({"notes": "H9"}, "H9"),
    ],
    ids=str,
)
def test_wishes_that_make_no_sense(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        plan_for(dataclasses.replace(WISHES, **wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "rows"), [(1, 1000), (200_000, 1000), (200_001, 1001), (2_000_000, 10_000)])
def test_large_sets_have_larger_shards(count: int, rows: int) -> None:
    recipe = plan_for(dataclasses.replace(WISHES, count=count, shard_rows=None)).recipe
    assert recipe.shard_rows == rows
    assert recipe.shards <= 200


def test_features_alone_can_be_kept(tmp_path: Path) -> None:
    wishes = dataclasses.replace(WISHES, audio="none", count=3, features=("log_mel", "log_mel_level"))
    make(tmp_path, plan=plan_for(wishes))
    with Shard(tmp_path / shard_name(0)) as shard:
        assert {name for name, field in shard.fields.items() if field.packed} == {
            "features/log_mel",
            "features/log_mel_level",
        }


def test_research_synths_have_no_gate(tmp_path: Path) -> None:
    wishes = Wishes(synth="ksin_4", count=5, shard_rows=5, length=1024 / 44100, features=())
    plan = plan_for(wishes)
    assert plan.recipe.gate is None
    make(tmp_path, plan=plan)
    with Shard(tmp_path / shard_name(0)) as shard:
        assert shard.fields["audio"].shape == (1, 1024)
        audio = plan.synth.render(plan.draw(4, 0)[0], Note(), length=1024 / 44100, sample_rate=44100)
        assert np.any(audio[:, -10:])
        assert_array_equal(shard.read("audio", 4), audio.astype(np.float16))


def test_a_set_goes_on_without_the_users_presets(tmp_path: Path, dexed: Synth) -> None:
    presets, folder = tmp_path / "presets", tmp_path / "set"
    presets.mkdir()
    for i in range(3):
        dexed.write_preset(draw(dexed.prior(), 0, i), presets / f"{i}.syx")
    wishes = dataclasses.replace(WISHES, prior=f"0.5 mutations:{presets} + 0.5 presets:{presets}", gate="none")
    make(folder, plan=plan_for(wishes))
    first = contents(folder)
    (folder / shard_name(1)).unlink()
    for path in presets.iterdir():
        path.unlink()
    make(folder, plan=load_plan(open_storage(folder)))
    assert contents(folder) == first
    assert MANIFEST in first


def test_s3_gets_the_same_bytes_and_can_be_resumed(made: Path, s3: str) -> None:
    storage = open_storage(f"{s3}/sets/one")
    plan = plan_for()
    with contextlib.closing(InlineRenderer(plan.synth)) as renderer:
        generate(plan, storage, renderer, shards=range(1, 3))
        assert generate(load_plan(storage), storage, renderer).rows == 18
    there = {name: storage.read_bytes(name) for name in contents(made)}
    assert there == contents(made)
