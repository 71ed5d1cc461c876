"""Priors in words: what the user's files become, and what another machine builds of it."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from wav2patch.datasets.recipes.prior_kinds import KINDS
from wav2patch.datasets.recipes.prior_words import PriorDescription, build_prior, content_digest, describe_prior
from wav2patch.errors import UserError
from wav2patch.priors import (
    CopulaPrior,
    CrossoverPrior,
    MixturePrior,
    MutationPrior,
    PresetPrior,
    Prior,
    UniformPrior,
    draw,
    fit_copula,
    save_prior,
)
from wav2patch.synths.base import Synth
from wav2patch.synths.catalogue import load_synth


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, dexed: Synth) -> Path:
    """A folder with banks of Dexed, a fitted prior, and presets of other synths."""
    folder = tmp_path_factory.mktemp("places")
    patches = [draw(dexed.prior(), 9, i) for i in range(40)]
    for start in (0, 20):
        dexed.write_bank(patches[start:][:20], folder / "my banks" / "a+b (old)" / f"{start}.syx", [""] * 20)
    dexed.write_preset(patches[0], folder / "single.syx")
    save_prior(fit_copula(dexed.space, np.stack(patches)), folder / "fitted.npz")
    for name in ("vital", "ksin_16", "surge_xt_simple"):
        synth = load_synth(name)
        for i in range(3):
            synth.write_preset(draw(synth.prior(), 1, i), folder / name / f"{i}{synth.preset_suffix}")
    (folder / "empty").mkdir()
    (folder / "garbage").mkdir()
    (folder / "garbage" / "x.syx").write_bytes(b"garbage")
    return folder


def same_draws(one: Prior, other: Prior) -> None:
    for i in range(20):
        assert_array_equal(draw(one, 3, i), draw(other, 3, i))


def sent(description: PriorDescription) -> PriorDescription:
    """The description as another machine gets it: words and the bytes of a file."""
    return PriorDescription.from_npz(description.words, description.to_npz())


ALL = "synth + 2 uniform + fitted:{0}/fitted.npz + presets:{0}/my banks + mutations:{0}/my banks/a+b (old)(share=0.5)"
ALL += " + 0.25 crossovers:{0}/my banks(strength=0.1)"


def test_every_kind_is_drawn_from_elsewhere_as_here(places: Path, dexed: Synth) -> None:
    described = describe_prior(ALL.format(places), dexed)
    prior = build_prior(described, dexed)
    assert isinstance(prior, MixturePrior)
    kinds = [CopulaPrior, UniformPrior, CopulaPrior, PresetPrior, MutationPrior, MutationPrior]
    assert [type(part) for part in prior.priors] == kinds
    assert prior.weights == (1, 2, 1, 1, 1, 0.25)
    elsewhere = build_prior(pickle.loads(pickle.dumps(sent(described))), load_synth("dexed"))
    same_draws(prior, elsewhere)
    same_draws(prior, pickle.loads(pickle.dumps(elsewhere)))


def test_words_become_canonical(places: Path, dexed: Synth) -> None:
    described = describe_prior(ALL.format(places), dexed)
    (presets,) = {key.split("/")[0] for key in described.arrays if key.endswith("/patches")}
    (fitted,) = {key.split("/")[0] for key in described.arrays if key.endswith("/quantiles")}
    assert described.words == (
        f"1 synth + 2 uniform + 1 fitted:{fitted} + 1 presets:{presets} + "
        f"1 mutations:{presets}(strength=0.1, share=0.5, redraw=0.05) + "
        f"0.25 crossovers:{presets}(strength=0.1, share=0.3, redraw=0)"
    )
    assert described.arrays[f"{presets}/patches"].shape == (40, 145)
    assert {str(described.arrays[f"{digest}/space"]) for digest in (presets, fitted)} == {dexed.space.digest}
    assert describe_prior("synth", dexed).words == "synth"
    assert not describe_prior("2 uniform", dexed).arrays


@pytest.mark.parametrize("synth", ["dexed", "vital", "ksin_16", "surge_xt_simple"])
@pytest.mark.parametrize("kind", ["presets", "mutations", "crossovers"])
def test_presets_of_every_format_are_described(places: Path, synth: str, kind: str) -> None:
    engine = load_synth(synth)
    described = describe_prior(f"{kind}:{places / ('my banks' if synth == 'dexed' else synth)}", engine)
    prior = build_prior(sent(described), engine)
    engine.space.validate(prior.sample(np.random.default_rng([1]), 20))
    assert prior.space.digest == engine.space.digest


def test_content_counts_and_not_where_it_lies(places: Path, dexed: Synth, tmp_path: Path) -> None:
    presets = [preset.patch for file in (places / "my banks").rglob("*.syx") for preset in dexed.read_presets(file)]
    for i, patch in enumerate(reversed(presets)):
        dexed.write_preset(patch, tmp_path / f"{i}.syx")
    one, other = describe_prior(f"presets:{places}/my banks", dexed), describe_prior(f"presets:{tmp_path}", dexed)
    assert one.words == other.words
    assert one.to_npz() == other.to_npz()
    dexed.write_preset(draw(dexed.prior(), 10, 0), tmp_path / "new.syx")
    assert describe_prior(f"presets:{tmp_path}", dexed).words != one.words


@st.composite
def mixtures(draw: st.DrawFn) -> str:
    share = st.floats(0, 1)
    terms = []
    for kind in draw(st.lists(st.sampled_from(sorted(KINDS.keys() - {"published"})), min_size=1, max_size=4)):
        names = draw(st.lists(st.sampled_from(list(KINDS[kind].options) or [""]), unique=True))
        options = ", ".join(f"{name}={draw(share)}" for name in names if name)
        path = {"fitted": ":{0}/fitted.npz"}.get(kind, ":{0}/my banks" if KINDS[kind].source else "")
        weight = draw(st.one_of(st.just(""), st.floats(1e-6, 1e6).map("{} ".format)))
        terms.append(f"{weight}{kind}{path}" + (f"({options})" if options else ""))
    return " + ".join(terms)


@given(mixtures())
@settings(max_examples=40, deadline=None)
def test_canonical_words_describe_themselves(places: Path, dexed: Synth, words: str) -> None:
    described = describe_prior(words.format(places), dexed)
    again = describe_prior(described.words, dexed, described.arrays)
    assert again.words == described.words
    assert again.to_npz() == described.to_npz()
    same_draws(build_prior(again, dexed), build_prior(described, dexed))


def test_files_passed_over_are_remarked_upon_once(places: Path, dexed: Synth) -> None:
    described = describe_prior(f"presets:{places} + mutations:{places}", dexed)
    assert described.remarks == (f"1 file was passed over, as no preset could be read: {places}/garbage/x.syx.",)
    assert describe_prior(described.words, dexed, described.arrays).remarks == ()


def test_a_tilde_is_the_home_folder(places: Path, dexed: Synth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(places))
    monkeypatch.chdir(places)
    words = describe_prior(f"presets:{places}/my banks", dexed).words
    assert describe_prior("presets:~/my banks", dexed).words == words
    assert describe_prior("presets:my banks", dexed).words == words
    assert describe_prior('presets:"my banks/a+b (old)"', dexed).words == words


def test_crossovers_are_mutated_only_when_asked(places: Path, dexed: Synth) -> None:
    for options, kind in (("", CrossoverPrior), ("(share=1)", CrossoverPrior), ("(redraw=0.1)", MutationPrior)):
        described = describe_prior(f"crossovers:{places}/my banks{options}", dexed)
        assert type(build_prior(described, dexed)) is kind


def test_published_rules_are_those_of_the_paper(dexed: Synth) -> None:
    synth = load_synth("dexed_plugin")
    prior = build_prior(describe_prior("published", synth), synth)
    same_draws(prior, synth.prior(published=True))  # pyright: ignore[reportCallIssue]
    assert not np.array_equal(draw(prior, 3, 0), draw(synth.prior(), 3, 0))


@pytest.mark.parametrize("name", ["dexed", "vital", "diva", "surge_xt_full", "ksin_16"])
def test_synths_without_published_rules_say_so(name: str) -> None:
    with pytest.raises(UserError, match="has no published prior beside its own: write synth instead"):
        describe_prior("published", load_synth(name))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("synths", "there is no prior called 'synths': choose from synth, published, uniform, fitted:PATH"),
        ("presets:{0}/my banks + old", "there is no prior called 'old'.* goes in double quotes"),
        ("presets:{0}/nowhere", r"there is no file or folder .*nowhere\."),
        ("presets:{0}/a (share 1)", "there is no file or folder .*options are written"),
        ("presets:~nobody-here/x", "there is no file or folder ~nobody-here/x"),
        ("presets:" + "n" * 5000, "there is no file or folder n"),
        ("presets:0123456789abcdef", "there is no file or folder 0123456789abcdef"),
        ("presets:{0}/empty", "holds no presets of .*: give .syx files"),
        ("mutations:{0}/garbage", "its only .syx file could not be read; .*x.syx holds no DX7 voice"),
        ("presets:{0}/vital", "holds no presets of .*: give .syx files"),
        ("presets:{0}/vital/0.vital", "0.vital holds no DX7 voice"),
        ("crossovers:{0}/single.syx", "at least two different presets"),
        ("presets", "presets is made from a file or folder of yours: write presets:PATH"),
        ('presets:""', "write presets:PATH"),
        ("uniform:{0}", "uniform takes no path: write it without :"),
        ("uniform(strength=1)", "uniform takes no 'strength=1': it takes no options"),
        ("mutations:{0}/my banks(strenght=1)", "takes no 'strenght=1': its options are strength=…, share=…, redraw=…"),
        ("mutations:{0}/my banks(strength=2)", "strength is a number from 0 to 1, not '2'"),
        ("mutations:{0}/my banks(share=)", "share is a number from 0 to 1, not ''"),
        ("mutations:{0}/my banks(share=1, share=1)", "takes share once"),
        ("fitted:{0}/single.syx", "is not a prior that `wav2patch prior fit` wrote"),
        ("fitted:{0}/nowhere.npz", "there is no file or folder"),
        ("fitted:{0}", "is not a prior that"),
    ],
)
def test_words_that_cannot_be_are_refused_in_a_sentence(places: Path, dexed: Synth, words: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        describe_prior(words.format(places), dexed)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_prior_fitted_for_another_synth_is_refused(places: Path) -> None:
    with pytest.raises(UserError, match="belongs to another synth"):
        describe_prior(f"fitted:{places}/fitted.npz", load_synth("vital"))


def changed(arrays: Mapping[str, Any], ending: str, change: Any) -> dict[str, Any]:
    return {key: change(array.copy()) if key.endswith(ending) else array for key, array in arrays.items()}


def other_value(array: Any) -> Any:
    array.flat[0] = array.flat[0] + 1
    return array


@pytest.mark.parametrize("ending", ["/patches", "/quantiles", "/correlation", "/count"])
def test_content_that_was_changed_is_refused(places: Path, dexed: Synth, ending: str) -> None:
    described = describe_prior(f"presets:{places}/my banks + fitted:{places}/fitted.npz", dexed)
    for change in (other_value, lambda array: array.astype(np.float32), lambda array: array[..., None]):
        tampered = PriorDescription(described.words, changed(described.arrays, ending, change))
        with pytest.raises(UserError, match=r"was changed or is damaged: bring back the prior\.npz"):
            build_prior(sent(tampered), dexed)
    fewer = {key: array for key, array in described.arrays.items() if not key.endswith(ending)}
    with pytest.raises(UserError, match="was changed or is damaged"):
        build_prior(PriorDescription(described.words, fewer), dexed)


def test_content_of_another_synth_is_refused_even_if_it_claims_to_be_this_ones(places: Path, dexed: Synth) -> None:
    vital = load_synth("vital")
    described = describe_prior(f"presets:{places}/vital", vital)
    with pytest.raises(UserError, match=r"belongs to another synth: its parameters are not those of .*DX7"):
        build_prior(described, dexed)
    with pytest.raises(UserError, match="belongs to another synth"):
        describe_prior(described.words, dexed, described.arrays)
    patches = next(array for key, array in described.arrays.items() if key.endswith("/patches"))
    for false in (patches, patches[:, :145] + 1000, patches[0], np.array("text")):
        content = {"patches": false, "space": np.array(dexed.space.digest)}
        digest = content_digest(content)
        arrays = {f"{digest}/{name}": array for name, array in content.items()}
        with pytest.raises(UserError):
            build_prior(PriorDescription(f"presets:{digest}", arrays), dexed)


def test_content_of_another_kind_is_refused(places: Path, dexed: Synth) -> None:
    described = describe_prior(f"presets:{places}/my banks", dexed)
    with pytest.raises(UserError, match="does not hold what fitted is made from"):
        build_prior(PriorDescription(described.words.replace("presets", "fitted"), described.arrays), dexed)


def test_missing_content_is_told(dexed: Synth) -> None:
    with pytest.raises(UserError, match=r"the content of presets:0123456789abcdef is missing: .*prior\.npz"):
        build_prior(PriorDescription("presets:0123456789abcdef"), dexed)


def pickled() -> bytes:
    content = io.BytesIO()
    np.savez(content, allow_pickle=True, **{"0123456789abcdef/patches": np.array([{}], dtype=object)})
    return content.getvalue()


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 garbage", pickled(), b"\x93NUMPY"])
def test_files_that_hold_no_prior_are_refused_by_their_name(content: bytes) -> None:
    with pytest.raises(UserError, match=r"^set/prior\.npz is not what a data set's prior is kept in"):
        PriorDescription.from_npz("synth", content, "set/prior.npz")


def test_a_truncated_file_is_refused(places: Path, dexed: Synth) -> None:
    described = describe_prior(f"presets:{places}/my banks", dexed)
    content = described.to_npz()
    for end in range(0, len(content), len(content) // 20):
        with pytest.raises(UserError):
            PriorDescription.from_npz(described.words, content[:end])


def test_digests_are_those_of_any_machine() -> None:
    content = {"b": np.arange(6.0).reshape(2, 3), "a": np.array("é")}
    swapped = {"a": np.array("é", dtype=">U1"), "b": content["b"].astype(">f8")}
    fortran = {"a": content["a"], "b": np.asfortranarray(content["b"])}
    assert content_digest(content) == content_digest(swapped) == content_digest(fortran) == "c3ea164c2ac68816"
    assert content_digest({**content, "b": content["b"].T}) != content_digest(content)
    assert content_digest({"c": content["b"], "a": content["a"]}) != content_digest(content)
