"""The copula that `wav2patch prior fit` fits, and its file."""

from pathlib import Path

import numpy as np
import pytest
from prior_spaces import SPACE, correlated_patches

from wav2patch.errors import UserError
from wav2patch.parameters import Continuous, Discrete, ParameterSpace
from wav2patch.priors import CopulaPrior, fit_copula, load_prior, save_prior


def test_a_copula_keeps_marginals_and_correlation() -> None:
    given = correlated_patches()
    drawn = fit_copula(SPACE, given, shrinkage=0.0).sample(np.random.default_rng([2]), 20000)
    np.testing.assert_allclose(
        np.quantile(drawn, [0.1, 0.5, 0.9], axis=0), np.quantile(given, [0.1, 0.5, 0.9], axis=0), atol=1.5
    )
    waves = np.bincount(drawn[:, 1].astype(int)) / len(drawn)
    np.testing.assert_allclose(waves, [0.7, 0.2, 0.1], atol=0.03)
    assert np.corrcoef(drawn[:, 0], drawn[:, 2])[0, 1] == pytest.approx(
        np.corrcoef(given[:, 0], given[:, 2])[0, 1], abs=0.05
    )
    assert abs(np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1]) < 0.05


def test_constant_parameters_stay_constant() -> None:
    patches = correlated_patches(50)
    patches[:, 1] = 2
    assert (fit_copula(SPACE, patches).sample(np.random.default_rng([3]), 100)[:, 1] == 2).all()


def test_copies_count_once() -> None:
    patches = correlated_patches(50)
    assert fit_copula(SPACE, np.concatenate([patches, patches])).count == fit_copula(SPACE, patches).count


def test_one_preset_is_not_enough() -> None:
    with pytest.raises(UserError, match="at least two different patches"):
        fit_copula(SPACE, correlated_patches(1))


def test_a_saved_prior_draws_the_same(tmp_path: Path) -> None:
    prior = fit_copula(SPACE, correlated_patches())
    save_prior(prior, tmp_path / "prior.npz")
    loaded = load_prior(SPACE, tmp_path / "prior.npz")
    assert loaded.count == prior.count
    np.testing.assert_allclose(
        loaded.sample(np.random.default_rng([4]), 50), prior.sample(np.random.default_rng([4]), 50), atol=1e-6
    )


def test_files_that_are_no_prior_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(UserError, match="is not a prior"):
        load_prior(SPACE, tmp_path / "text.npz")
    with pytest.raises(UserError, match="there is no file"):
        load_prior(SPACE, tmp_path / "missing.npz")
    other = ParameterSpace((Discrete("a", 0, 9), Discrete("b", 0, 9)))
    save_prior(fit_copula(other, np.array([[1.0, 2.0], [3.0, 4.0]])), tmp_path / "other.npz")
    with pytest.raises(UserError, match="belongs to another synth"):
        load_prior(SPACE, tmp_path / "other.npz")


def test_statistics_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        CopulaPrior(SPACE, np.zeros((257, 2)), np.eye(2), 5)


@pytest.mark.parametrize(
    "damage",
    [
        {"correlation": -np.eye(3)},
        {"correlation": np.full((3, 3), np.nan)},
        {"quantiles": np.zeros((257, 2))},
        {"quantiles": np.full((257, 3), 1e6)},
        {"count": np.array("many")},
    ],
)
def test_a_damaged_prior_is_refused_by_its_name(tmp_path: Path, damage: dict) -> None:
    prior = fit_copula(SPACE, correlated_patches(100))
    arrays = {
        "quantiles": prior.quantiles, "correlation": prior.correlation, "names": np.array(SPACE.names),
        "count": np.array(5),
    }  # fmt: skip
    np.savez(tmp_path / "damaged.npz", **(arrays | damage))
    with pytest.raises(UserError, match=r"damaged\.npz is not a prior"):
        load_prior(SPACE, tmp_path / "damaged.npz")


def test_continuous_values_are_drawn_between_the_order_statistics_and_read_back(tmp_path: Path) -> None:
    space = ParameterSpace((Continuous("x", 0.0, 0.1), Discrete("n", 0, 9)))
    generator = np.random.default_rng([5])
    patches = np.stack([generator.uniform(0, 0.1, 300), generator.integers(0, 10, 300)], axis=1)
    patches[0, 0] = 0.1
    prior = fit_copula(space, patches)
    assert len(np.unique(prior.sample(generator, 2000)[:, 0])) > 1900
    save_prior(prior, tmp_path / "prior.npz")
    loaded = load_prior(space, tmp_path / "prior.npz")
    space.validate(loaded.sample(generator, 500))
