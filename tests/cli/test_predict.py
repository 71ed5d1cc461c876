"""`wav2patch predict` and `wav2patch export`, as a person types them."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import Said, one_sentence, run
from tiny_models import remembering, tiny_record, tiny_trained

from wav2patch.audio.files import read_audio, write_wav
from wav2patch.models.inverters.catalogue import make_inverter
from wav2patch.note_rules import parse_notes
from wav2patch.notes import Note
from wav2patch.priors import draw
from wav2patch.synths.base import Synth
from wav2patch.synths.catalogue import load_synth
from wav2patch.training.export import export
from wav2patch.training.saving import Trained, save_model
from wav2patch.training.shown_draws import show_draws


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Said]:
    monkeypatch.chdir(tmp_path)
    return run


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory, dexed: Synth) -> Path:
    """A model that remembers the patch of the conftest's bell."""
    patches = np.stack([draw(dexed.prior(), 404, i) for i in range(6)])
    trained = remembering(dexed, patches, Note(64, 100, 0.0, 0.3))
    return save_model(tmp_path_factory.mktemp("models") / "known", trained.inverter, trained.record, None)


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    trained = tiny_trained("flow")
    folder = tmp_path_factory.mktemp("models") / "flow"
    return save_model(folder, trained.inverter, trained.record, trained.standard)


def test_a_sound_becomes_parameters_presets_audio_and_a_picture(
    type_in, tmp_path: Path, sound: Path, known: Path, dexed: Synth
) -> None:
    said = type_in("predict", sound, f"ckpt={known}", "n=2", "note=E4", "hold=0.3", "out=made")
    assert said.code == 0, said.err
    folder = tmp_path / "made" / "a bell"
    assert {path.name for path in folder.iterdir()} == {
        *("target.wav", "prediction_1.wav", "prediction_2.wav", "prediction_1.syx", "prediction_2.syx"),
        *("parameters.csv", "prediction.json", "prediction.png"),
    }
    truth = draw(dexed.prior(), 404, 2)
    told = json.loads((folder / "prediction.json").read_text())
    assert told["predictions"][0]["patch"] == dexed.space.named(truth)
    assert told["predictions"][0]["distance"] < 0.5 < told["predictions"][1]["distance"]
    np.testing.assert_array_equal(dexed.read_presets(folder / "prediction_1.syx")[0].patch, truth)
    rows = list(csv.DictReader((folder / "parameters.csv").read_text().splitlines()))
    assert [row["parameter"] for row in rows] == list(dexed.space.names)
    assert rows[0]["prediction_1"] == str(dexed.space.named(truth)[rows[0]["parameter"]])
    audio, rate = read_audio(folder / "prediction_1.wav")
    assert audio.shape[1] == round(told["length"] * rate)
    assert (folder / "prediction.png").read_bytes().startswith(b"\x89PNG")
    assert f"{told['predictions'][0]['distance']:.2f} dB" in said.out


def test_the_same_seed_gives_the_same_and_another_another(type_in, tmp_path: Path, sound: Path, flow: Path) -> None:
    patches = []
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        assert type_in("predict", f"ckpt={flow}", sound, "n=3", f"seed={seed}", f"out={name}").code == 0
        told = json.loads((tmp_path / name / "a bell" / "prediction.json").read_text())
        patches.append([one["patch"] for one in told["predictions"]])
    assert patches[0] == patches[1] != patches[2]
    assert len(patches[0]) == 3


def test_a_model_that_predicts_the_note_hears_from_the_first_sample(type_in, tmp_path: Path, sound: Path) -> None:
    trained = tiny_trained("regression", note="predicted")
    save_model(tmp_path / "model", trained.inverter, trained.record, trained.standard)
    said = type_in("predict", sound, "ckpt=model", "n=4", "--json")
    assert said.code == 0, said.err
    (told,) = json.loads(said.out)["predictions"]
    assert len(told["predictions"]) == 1
    note = told["predictions"][0]["note"]
    assert 48 <= note["pitch"] <= 72
    assert note["onset"] + note["duration"] <= 0.5 + 1e-3
    assert type_in("predict", sound, "ckpt=model", "note=C4").code == 2


@pytest.mark.parametrize(("notes", "pitch", "duration"), [("C5 duration=0.2", 72, 0.2), ("paper length=0.5", 60, 0.5)])
def test_a_model_of_one_note_has_its_patches_play_that_note(
    type_in, tmp_path: Path, sound: Path, notes: str, pitch: int, duration: float
) -> None:
    trained = tiny_trained("regression", note="none")
    record = dataclasses.replace(trained.record, notes=parse_notes(notes, trained.record.length).words)
    save_model(tmp_path / "model", trained.inverter, record, trained.standard)
    said = type_in("predict", sound, "ckpt=model", "--json")
    assert said.code == 0, said.err
    (told,) = json.loads(said.out)["predictions"]
    note = told["predictions"][0]["note"]
    assert (note["pitch"], note["duration"]) == (pitch, duration)


@pytest.mark.slow
def test_graphs_that_cannot_hear_alone_leave_it_to_the_weights(type_in, tmp_path: Path, sound: Path) -> None:
    settings = {"kind": "proxy", "preset_encoder": {"name": "highway", "hidden": 8, "blocks": 2}, "draws": 30}
    record = tiny_record(settings, note="none", feature="mel128", shape=(128,))
    synth = load_synth("dexed")
    proxy = make_inverter(record.inverter, record.layout(), record.shape, note=False).eval()
    show_draws(proxy, record, synth)
    export(Trained(proxy, record, None, synth, Path("here")), tmp_path / "whole")
    assert type_in("predict", sound, "ckpt=whole").code == 0
    export(Trained(proxy, record, None, synth, Path("here")), tmp_path / "graphs", weights=False)
    said = type_in("predict", sound, "ckpt=graphs")
    assert said.code == 2
    assert "hears through mel128, which takes PyTorch" in said.err
    said = type_in("export", "ckpt=whole", "out=again")
    assert "wav2patch predict SOUND ckpt=again" in said.out


def test_an_answer_is_finetuned_and_the_best_comes_first(type_in, tmp_path: Path, sound: Path) -> None:
    trained = tiny_trained("inversynth")
    save_model(tmp_path / "model", trained.inverter, trained.record, trained.standard)
    for words, out in ((("finetune=8",), "tuned"), ((), "plain")):
        assert type_in("predict", sound, "ckpt=model", f"out={out}", *words).code == 0
    tuned, plain = (
        json.loads((tmp_path / out / "a bell" / "prediction.json").read_text())["predictions"]
        for out in ("tuned", "plain")
    )
    assert tuned[-1]["patch"] == plain[0]["patch"]
    assert tuned[0]["distance"] <= plain[0]["distance"]


def test_research_synths_are_predicted_too(type_in, tmp_path: Path) -> None:
    synth = load_synth("kosc_4")
    write_wav(
        tmp_path / "k.wav", synth.render(draw(synth.prior(), 1, 1), Note(), length=0.02322, sample_rate=44100), 44100
    )
    trained = tiny_trained("regression", "kosc_4", note="none")
    save_model(tmp_path / "model", trained.inverter, trained.record, trained.standard)
    said = type_in("predict", "k.wav", "ckpt=model")
    assert said.code == 0, said.err
    assert (tmp_path / "predictions" / "k" / "prediction_1.json").exists()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["{sound}"], "ckpt=… has to be given"),
        (["ckpt={known}"], "name the sounds"),
        (["{sound}", "ckpt={known}", "nn=3"], "no setting 'nn'"),
        (["{sound}", "ckpt={known}", "n=0"], "n is 1 or more"),
        (["{sound}", "ckpt={known}", "finetune=30"], "takes an InverSynth II"),
        (["{sound}", "ckpt={known}", "finetune=-1"], "finetune is 1 step or more"),
        (["{sound}", "ckpt={known}", "finetune=30", "n=2"], "leave n=… out"),
        (["{sound}", "ckpt={known}", "note=H9"], "not a note"),
        (["{sound}", "ckpt=nothing.ckpt"], "there is no nothing.ckpt"),
        (["{sound}", "ckpt={sound}"], "no checkpoint"),
        (["missing.wav", "ckpt={known}"], "missing.wav does not exist"),
        (["silent.wav", "ckpt={known}"], "silent.wav is silent"),
    ],
)
def test_mistakes_are_one_sentence(
    type_in, tmp_path: Path, sound: Path, known: Path, words: list[str], meant: str
) -> None:
    write_wav(tmp_path / "silent.wav", np.zeros(44100, np.float32), 44100)
    said = type_in("predict", *(word.format(sound=sound, known=known) for word in words))
    assert said.code == 2
    assert one_sentence(said.err), said.err
    assert meant in said.err


def test_a_checkpoint_of_another_space_is_one_sentence(type_in, tmp_path: Path, sound: Path, known: Path) -> None:
    shutil.copytree(known, tmp_path / "old")
    config = tmp_path / "old" / "config.yaml"
    config.write_text(config.read_text().replace(load_synth("dexed").space.digest, "f" * 16))
    said = type_in("predict", sound, "ckpt=old")
    assert said.code == 2
    assert one_sentence(said.err)
    assert "another parameter space of dexed" in said.err


def test_one_bad_sound_does_not_keep_the_others(type_in, tmp_path: Path, sound: Path, known: Path) -> None:
    said = type_in("predict", "missing.wav", sound, f"ckpt={known}")
    assert said.code == 2
    assert one_sentence(said.err)
    assert (tmp_path / "predictions" / "a bell" / "prediction.json").exists()


def test_help_lists_the_settings(type_in) -> None:
    for command, key in (("predict", "ckpt="), ("export", "half=")):
        said = type_in(command, "--help")
        assert said.code == 0
        assert key in said.out


@pytest.mark.slow
def test_an_exported_model_is_matched_with(type_in, tmp_path: Path, sound: Path, known: Path) -> None:
    said = type_in("export", f"ckpt={known}", "out=models/bells")
    assert said.code == 0, said.err
    assert "--proposer models/bells" in said.out
    match = ("match", sound, "--renders", "64", "--note", "E4", "--hold", "0.3", "--candidates", "1", "--json")
    said = type_in(*match, "--proposer", "models/bells")
    assert said.code == 0, said.err
    (found,) = json.loads(said.out)["matches"]
    assert [*found["models"]] == ["model bells"]
    assert found["candidates"][0]["distance"] < 0.5
    said = type_in(*match, "--proposer", "none")
    assert json.loads(said.out)["matches"][0]["models"] == {}
    for words, meant in (
        (("--synth", "vital", "--proposer", "models/bells"), "not of vital"),
        (("--synth", "dexed,vital", "--proposer", "models/bells"), "belongs to one synth"),
        (("--proposer", "none", "--proposer", "models/bells"), "goes with no other"),
        (("--proposer", "models/none"), "there is no model models/none"),
        (("--proposer", known), "holds no graphs"),
    ):
        said = type_in(*match, *words)
        assert said.code == 2
        assert one_sentence(said.err), said.err
        assert meant in said.err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["out=there"], "ckpt=… has to be given"),
        (["ckpt=no.ckpt", "out=there"], "there is no no.ckpt"),
        (["ckpt={known}", "out=taken"], "holds no model"),
        (["ckpt={known}", "out=there", "draws=0"], "draws is 1 or more, not 0"),
        (["ckpt={known}", "out=there", "card=no.yaml"], "no.yaml cannot be read"),
    ],
)
def test_mistakes_in_exporting_are_one_sentence(
    type_in, tmp_path: Path, known: Path, words: list[str], meant: str
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    said = type_in("export", *(word.format(known=known) for word in words))
    assert said.code == 2
    assert one_sentence(said.err), said.err
    assert meant in said.err
