"""The research synths as synths: variants, spaces, priors, presets, batches."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import truncnorm

from wav2patch.errors import UserError
from wav2patch.notes import Note
from wav2patch.synths.catalogue import RESEARCH, SYNTHS, load_synth
from wav2patch.synths.tensor.fm import Fm
from wav2patch.synths.tensor.oscillators import KOsc, KSin
from wav2patch.synths.tensor.synth import TensorSynth

LONG = Note(60, 100, 0.0, 10.0)


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="the research synths need PyTorch: pip install 'wav2patch[train]'")


def research(name: str) -> TensorSynth:
    synth = load_synth(name)
    assert isinstance(synth, TensorSynth)
    return synth


def test_every_variant_loads_by_its_own_name_without_pytorch() -> None:
    code = (
        "import sys, numpy as np\n"
        "from wav2patch.synths.catalogue import RESEARCH, load_synth\n"
        "for name in RESEARCH:\n"
        "    synth = load_synth(name)\n"
        "    assert synth.name == name, name\n"
        "    synth.space.validate(synth.prior().sample(np.random.default_rng(0), 3))\n"
        "    synth.space.validate(synth.test_prior().sample(np.random.default_rng(0), 3))\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert {"kosc_1", "kosc_32_asymmetric", "ksin_8_shifted", "fm_mixed_asymmetric", "inversynth_fm"} <= RESEARCH.keys()
    assert all(SYNTHS[name] is entry for name, entry in RESEARCH.items() if name in SYNTHS)


def test_without_pytorch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wav2patch.synths.tensor.synth.find_spec", lambda name: None)
    assert load_synth("kosc_4").missing() == "kosc_4 needs PyTorch: run pip install 'wav2patch[train]'."


def test_a_synth_travels_to_a_worker() -> None:
    for name in SYNTHS.keys() & RESEARCH.keys():
        assert pickle.loads(pickle.dumps(load_synth(name))).space.digest == load_synth(name).space.digest


def test_layout_is_the_papers() -> None:
    assert KOsc(2).space.names == tuple(f"{f}_{i}" for f in ("frequency", "amplitude", "waveform") for i in (1, 2))
    assert KSin(2).space.names == ("frequency_1", "frequency_2", "amplitude_1", "amplitude_2")
    assert Fm("conditional").space.names[:3] == ("frequency_m1", "frequency_c2", "frequency_c1")
    assert Fm("conditional").space.names[3:] == ("index_m1", "amplitude_c2", "amplitude_c1")
    assert [len(Fm(name).space) for name in ("conditional", "mixed", "hierarchical")] == [6, 8, 12]


def test_what_is_no_variant_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one oscillator"):
        KOsc(0)
    with pytest.raises(ValueError, match="symmetric variant only"):
        KSin(4, symmetric=False, shifted=True)
    with pytest.raises(ValueError, match="no FM algorithm"):
        Fm("stacked")
    with pytest.raises(UserError, match="there is no synth called 'kosc_5'"):
        load_synth("kosc_5")


@pytest.mark.parametrize("name", sorted(SYNTHS.keys() & RESEARCH.keys()))
def test_symmetries_are_there_where_operators_are_alike(name: str) -> None:
    space = load_synth(name).space
    count = {"ksin_16": 15, "kosc_4": 3, "kosc_16": 15, "fm_conditional": 1, "fm_mixed": 1, "fm_hierarchical": 3}
    count["ksin_16_shifted"] = 15
    assert len(space.symmetries) == count.get(name, 0)


@pytest.mark.parametrize(
    "synth",
    [KSin(4), KSin(4, symmetric=False), KOsc(4), KOsc(4, symmetric=False)]
    + [
        Fm(a, symmetric=s, corrected=c) for a in ("mixed", "hierarchical") for s in (True, False) for c in (True, False)
    ],
    ids=lambda synth: synth.name,
)
def test_the_text_of_a_frequency_is_what_is_heard(torch, synth: TensorSynth) -> None:
    space = synth.space
    loud = [name.removeprefix("amplitude_") for name in space.names if name.startswith("amplitude_")]
    for one in loud:
        patch = space.default.copy()
        patch[[n.startswith("frequency") for n in space.names]] = 0.3
        patch[[n.startswith("waveform") for n in space.names]] = -1.0
        for name in space.names:
            if name.startswith("amplitude_"):
                patch[space.index(name)] = 1.0 if name == f"amplitude_{one}" else -1.0
            elif name.startswith("index_"):
                patch[space.index(name)] = -1.0 if "corrected" in synth.name else -0.5
        audio = synth.render(patch, LONG, length=1.0, sample_rate=44100)[0]
        text = space.parameters[space.index(f"frequency_{one}")].text(0.3)
        assert text.endswith(" Hz")
        assert_allclose(np.abs(np.fft.rfft(audio)).argmax(), float(text.split()[0]), atol=6)  # four digits are shown


@pytest.mark.parametrize("name", ["ksin_16_shifted", "kosc_4_shifted", "fm_mixed_shifted"])
def test_shifted_variants_are_trained_low_and_tested_high(name: str) -> None:
    synth, generator = research(name), np.random.default_rng(71)
    frequencies = np.array([n.startswith("frequency") for n in synth.space.names])
    for prior, mean in ((synth.prior(), -1 / 3), (synth.test_prior(), 1 / 3)):
        patches = prior.sample(generator, 4000)
        expected = truncnorm((-1 - mean) * 3, (1 - mean) * 3, loc=mean, scale=1 / 3)
        assert_allclose(patches[:, frequencies].mean(), expected.mean(), atol=0.02)
        assert_allclose(patches[:, frequencies].std(), expected.std(), atol=0.02)
        assert_allclose(patches[:, ~frequencies].std(), 3**-0.5, atol=0.02)


@pytest.mark.parametrize("name", ["ksin_16", "kosc_4", "kosc_16_asymmetric", "fm_hierarchical", "inversynth_fm"])
def test_a_batch_is_the_renders_of_its_patches(torch, name: str) -> None:
    synth = research(name)
    patches = synth.prior().sample(np.random.default_rng(72), 40)
    batch = synth.render_batch(patches)
    assert batch.shape == (40, 1024)
    assert batch.dtype == torch.float32
    for patch, row in zip(patches, batch, strict=True):
        alone = synth.render(patch, LONG, length=1024 / 44100, sample_rate=44100)[0]
        # k-sin's and FM's phases reach 22 kHz: a frequency's rounding to single precision shows after 1,000 samples.
        assert_allclose(row, alone, atol=1e-3 * np.abs(alone).max() if name != "inversynth_fm" else 0.3)
    exact = synth.render_batch(torch.from_numpy(patches))
    assert exact.dtype == torch.float64


def test_gradients_flow_through_a_batch(torch) -> None:
    synth = research("kosc_4")
    patches = torch.from_numpy(synth.prior().sample(np.random.default_rng(73), 300)).requires_grad_()
    synth.render_batch(patches, 256).square().mean().backward()
    assert patches.grad is not None
    assert (patches.grad.abs().sum(-1) > 0).all()


@pytest.mark.parametrize("name", ["ksin_16", "kosc_4", "kosc_16", "fm_mixed"])
def test_the_number_of_threads_changes_no_bit(torch, name: str) -> None:
    synth = research(name)
    patch = synth.prior().sample(np.random.default_rng(74), 1)[0]
    before, renders = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            renders.append(synth.render(patch, LONG, length=1.0, sample_rate=44100))
    finally:
        torch.set_num_threads(before)
    assert_array_equal(*renders)


def test_a_note_ends_and_its_key_does_not_matter(torch) -> None:
    synth = research("kosc_4")
    patch = synth.prior().sample(np.random.default_rng(75), 1)[0]
    audio = synth.render(patch, Note(60, 100, 0.1, 0.2), length=0.5, sample_rate=16000)[0]
    assert audio[1601:4800].any()
    assert not audio[:1600].any()
    assert not audio[4800:].any()
    assert_array_equal(synth.render(patch, Note(84, 20, 0.1, 0.2), length=0.5, sample_rate=16000)[0], audio)


def test_presets_tell_whose_they_are(tmp_path: Path) -> None:
    synth, path = research("kosc_4"), tmp_path / "p.json"
    synth.write_preset(synth.space.default, path, name="Größe")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["synth"] == "kosc_4"
    assert content["name"] == "Größe"
    assert content["parameters"]["frequency_1"] == 0.0
    with pytest.raises(UserError, match="holds no preset of kosc_16: it is one of kosc_4"):
        research("kosc_16").read_presets(path)
    path.write_text(json.dumps(content | {"parameters": content["parameters"] | {"colour": 3}}))
    assert synth.read_presets(path)[0].dropped == ("parameter colour",)
    path.write_text(json.dumps(content | {"parameters": {"frequency_1": 0.0}}))
    with pytest.raises(UserError, match="frequency_2 is missing"):
        synth.read_presets(path)
    path.write_text(json.dumps(content | {"parameters": content["parameters"] | {"amplitude_2": 7}}))
    with pytest.raises(UserError, match="amplitude_2"):
        synth.read_presets(path)


def test_there_are_no_banks(tmp_path: Path) -> None:
    synth = research("ksin_16")
    assert synth.bank_name is None
    with pytest.raises(NotImplementedError):
        synth.write_bank([synth.space.default], tmp_path / "b.json", ["a"])
