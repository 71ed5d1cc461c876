from __future__ import annotations

import json
from collections.abc import Sequence

import fake_synths as fake
import numpy as np
import pytest
from fake_synths import Good

from wav2patch.checking import speed
from wav2patch.checking.check import check, declared_floor, isolated
from wav2patch.checking.finding import Finding, Verdict, quantile
from wav2patch.checking.place import Measured, Place
from wav2patch.checking.presets import judge_presets
from wav2patch.checking.prior import MOST_KIB, _memory, judge_prior, judge_replacement
from wav2patch.checking.sameness import Takes, _leak, _same, judge_sameness, take
from wav2patch.checking.speed import judge_speed
from wav2patch.errors import UserError
from wav2patch.rendering.base import Renderer
from wav2patch.rendering.inline import InlineRenderer
from wav2patch.synths.base import Synth


def silent_report(stage: str, part: float) -> None:
    assert stage
    assert 0 <= part <= 1


def inline(synth: Synth, workers: int) -> Renderer:
    return InlineRenderer(synth)


def place(synth: Synth) -> Place:
    return Place(synth, inline, silent_report)


def named(findings: Sequence[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def sameness(synth: Synth, declared: float | None = 0.0) -> dict[str, Finding]:
    return named(judge_sameness(take(place(synth), 6), declared))


def test_a_good_synth_is_the_same_every_time() -> None:
    found = sameness(Good())
    assert found["the same patch twice"].holds
    assert found["A–B–A"].holds
    assert found["noise floor"].figures["noise_floor"] == 0
    assert "perfect" in found["in every metric"].sentence


def test_a_leak_is_found() -> None:
    found = sameness(fake.Leaking())
    assert found["A–B–A"].holds is False
    assert found["A–B–A"].figures["leak_worst"] > 0.1


def test_chance_is_no_leak_and_breaks_only_what_was_declared() -> None:
    takes = take(place(fake.Random()), 4)
    found = named(judge_sameness(takes, 0.0))
    assert found["the same patch twice"].holds is False
    floor = found["noise floor"].figures["noise_floor"]
    assert 1 < floor < 7
    assert found["in every metric"].figures["floor_loudness_worst"] > 0.5
    assert _same(takes, floor).holds
    assert _same(takes, None).holds is None


def test_levels_that_vary_are_no_leak() -> None:
    gains = 10 ** (-np.random.default_rng(3).uniform(0, 6, (40, 4)) / 20)
    tone = np.sin(np.arange(20000) * 0.05, dtype=np.float32)[None]
    played = [[tone * np.float32(gain) for gain in row] for row in gains]
    assert _leak([Takes((one, other, third), (after,)) for one, other, third, after in played]).holds


def test_a_leak_is_found_among_patches_of_chance() -> None:
    generator = np.random.default_rng(1)
    tones = [np.sin(np.arange(20000) * 0.05 * i, dtype=np.float32)[None] for i in (1, 1.5)]
    noise = [generator.normal(size=(1, 20000)).astype(np.float32) for _ in range(4)]
    steady, noisy = Takes((tones[0],) * 3, (tones[0],)), Takes((noise[0], noise[1], noise[2]), (noise[3],))
    assert _leak([steady] * 3 + [noisy] * 7).holds
    assert _leak([Takes((tones[0],) * 3, (tones[1],))] + [noisy] * 9).holds is False
    assert _leak([Takes((noise[0], noise[1], noise[2]), (tones[0],))] * 2 + [noisy] * 8).holds is False


@pytest.mark.parametrize(("synth", "silent", "survived"), [(Good(), True, True), (fake.Silent(), False, True)])
def test_silent_draws_are_counted(synth: Synth, silent: bool, survived: bool) -> None:
    found = named(judge_prior(place(synth), 40))
    assert found["silent draws"].holds is silent
    assert found["crashes and hangs"].holds is survived
    if not silent:
        assert 0.2 < found["silent draws"].figures["silent_share"] < 0.8


def test_failures_are_counted() -> None:
    found = named(judge_prior(place(fake.Failing()), 40))["crashes and hangs"]
    assert found.holds is False
    assert 2 < found.figures["failed"] < 20
    assert found.figures["crashed"] == 0
    assert "it cannot" in found.sentence


def test_crashes_are_told_from_errors() -> None:
    found = named(judge_prior(Place(fake.Crashing(), isolated, silent_report), 12))["crashes and hangs"]
    assert found.holds is False
    assert found.figures["crashed"] == found.figures["failed"] > 0


def test_a_killed_worker_is_replaced() -> None:
    assert judge_replacement(Place(Good(), isolated, silent_report)).holds
    assert judge_replacement(place(Good())).holds is None


@pytest.mark.parametrize(("growth", "holds"), [(0.0, True), (MOST_KIB - 1, True), (MOST_KIB + 1, False)])
def test_memory_that_grows_is_found(growth: float, holds: bool) -> None:
    grown = [Measured(i % 2, 90000 + growth * (i // 2), -13, 0.5, "") for i in range(200)]
    assert _memory(grown).holds is holds
    assert _memory(grown).figures["memory_kib_per_render"] == pytest.approx(growth, abs=1e-6)
    assert _memory(grown, lifetime=100).holds
    assert _memory(grown[:40]).holds is None


def test_preset_files_bring_a_patch_back() -> None:
    assert judge_presets(place(Good()), 1, 0.0).holds


@pytest.mark.parametrize(("synth", "words"), [(fake.Forgetful(), "tone"), (fake.Unreadable(), "damaged")])
def test_presets_that_lose_something_are_found(synth: Synth, words: str) -> None:
    found = judge_presets(place(synth), 1, 0.0)
    assert found.holds is False
    assert words in found.sentence


def test_a_sound_that_changes_with_the_file_is_found() -> None:
    found = judge_presets(place(fake.Random()), 1, 0.0)
    assert found.holds is False
    assert "sound different" in found.sentence


def test_speed_has_figures_for_one_and_two_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_SECONDS", 0.2)
    found = judge_speed(place(Good()))
    assert found.figures["renders_per_second"] > 1
    assert found.figures["renders_per_second_2"] > 1
    assert found.figures.get("core_ms_per_render", 1.0) > 0.1


def test_a_whole_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_SECONDS", 0.2)
    verdict = check(Good(), silent_report, renders=20, make=inline)
    assert verdict.holds, verdict
    assert {"noise_floor", "silent_share", "renders_per_second"} <= verdict.figures.keys()
    json.dumps(verdict.figures)


def test_a_verdict_holds_unless_something_is_broken() -> None:
    fine, figure, broken = (Finding("x", holds, "y", {"z": 1.23456}) for holds in (True, None, False))
    assert Verdict("s", [fine, figure]).holds
    assert not Verdict("s", [fine, broken]).holds
    assert Verdict("s", [fine]).figures == {"z": 1.235}


def test_what_cannot_be_checked() -> None:
    with pytest.raises(UserError, match="install it"):
        check(fake.Absent(), silent_report)
    with pytest.raises(ValueError, match="at least"):
        check(Good(), silent_report, renders=1)


def test_a_synth_is_held_to_its_own_noise_floor() -> None:
    assert declared_floor(Good()) == 0.0


def test_quantiles() -> None:
    assert quantile([3, 1, 2], 0.5) == 2
    assert quantile([3, 1, 2], 1.0) == 3
    assert quantile([], 0.5) == 0
