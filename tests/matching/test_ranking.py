"""One sound on several synths."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from synth_variants import Noisy

from wav2patch.audio.target import Target
from wav2patch.matching.match import match
from wav2patch.matching.ranking import closest_first, save_ranking
from wav2patch.matching.result import Match
from wav2patch.report.ranking import render_ranking


@pytest.fixture(scope="module")
def found(simple_target: Target) -> list[Match]:
    return [match(simple_target, synth, renders=150, candidates=1) for synth in (Noisy(), "dexed")]


def with_best(found: Match, distance: float, frequency: float | None) -> Match:
    return replace(found, candidates=(replace(found.best, distance=distance, frequency=frequency),))


def order(*matches: Match) -> list[str]:
    return [match.synth.name for match in closest_first(matches)]


def test_the_closest_comes_first(found: list[Match]) -> None:
    noisy, dexed = found
    right = noisy.target.frequency
    assert order(with_best(noisy, 2.0, right), with_best(dexed, 3.0, right)) == ["noisy", "dexed"]
    assert order(with_best(noisy, 4.0, right), with_best(dexed, 3.0, right)) == ["dexed", "noisy"]


def test_a_wrong_pitch_is_put_back_here_too(found: list[Match]) -> None:
    noisy, dexed = found
    right = noisy.target.frequency
    assert right is not None
    assert order(with_best(noisy, 2.0, 2 * right), with_best(dexed, 3.0, right)) == ["dexed", "noisy"]


def test_the_ranking_on_disk_names_files_relative_to_it(found: list[Match], tmp_path: Path) -> None:
    folders = {match.synth.name: tmp_path / match.synth.name for match in found}
    told = json.loads(save_ranking(found, folders, tmp_path).read_text())
    assert told["closest"] == told["synths"][0]["synth"] == order(*found)[0]
    assert [row["distance"] for row in told["synths"]] == [match.best.distance for match in closest_first(found)]
    assert told["synths"][0]["preset"] == f"{told['closest']}/candidate_1.syx"


def test_the_page_shows_every_synth_and_links_to_its_own(found: list[Match]) -> None:
    page = render_ranking(found, {one.synth.name: f"{one.synth.name}/report.html" for one in found})
    first, second = closest_first(found)
    assert f"{first.synth.title} comes closest" in page
    assert page.count("<audio") == 3
    for shown in (first, second):
        assert f'href="{shown.synth.name}/report.html"' in page
