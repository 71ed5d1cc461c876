import base64
import html
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from report_matches import make_match, names

from wav2patch.matching.result import Match
from wav2patch.metrics.panel import PANEL
from wav2patch.report.markup import Markup, element
from wav2patch.report.page import render_report, write_report
from wav2patch.report.story import repeat_command

VOID = {"br", "col", "hr", "img", "input", "link", "meta"}
HOSTILE = "\"><script>alert(1)<\\script> & 'x' ${title} $body.wav"


class Outline(HTMLParser):
    """Checks that tags are balanced, and gathers text, tags and data URIs."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)


def outline(page: str) -> Outline:
    parsed = Outline()
    parsed.feed(page)
    parsed.close()
    assert parsed.open == []
    return parsed


def sources(page: str, mime: str) -> list[bytes]:
    return [base64.b64decode(found, validate=True) for found in re.findall(rf'src="data:{mime};base64,([^"]*)"', page)]


@pytest.fixture(scope="module")
def match() -> Match:
    return make_match()


@pytest.fixture(scope="module")
def page(match: Match) -> str:
    return render_report(match)


@pytest.mark.parametrize("candidates", [1, 5])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_candidate_has_a_name_a_file_a_sound_and_a_picture(candidates: int, channels: int) -> None:
    match = make_match(candidates=candidates, channels=channels)
    page = render_report(match)
    text = " ".join(outline(page).text)
    assert all(name in text for name in [*names(match), "bank.syx", "bell.wav"])
    assert len(sources(page, "audio/flac")) == len(sources(page, "image/png")) == candidates + 1
    assert page.count('class="waveform"') == candidates + 1


def test_the_page_is_whole_and_needs_nothing_from_elsewhere(page: str) -> None:
    parsed = outline(page)
    assert not re.search(r"https?://|//[a-z]+\.|@import|url\(", page)
    for tag, attributes in parsed.tags:
        for name in ("src", "href", "data", "action", "poster", "srcset"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), (tag, name)
    assert "default-src 'none'" in page


def test_links_within_the_page_lead_somewhere(page: str) -> None:
    parsed = outline(page)
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [a["href"] for tag, a in parsed.tags if tag == "a" and a["href"]]
    assert links
    assert all(link.removeprefix("#") in ids for link in links)


@pytest.mark.parametrize("factor", [0.5, 4.0])
def test_the_sounds_are_those_of_the_match_at_one_common_level(match: Match, factor: float) -> None:
    louder = replace(match, target=replace(match.target, audio=match.target.audio * np.float32(factor)))
    sounds = [louder.target.audio, *(candidate.audio for candidate in louder.candidates)]
    gain = min(1.0, 1.0 / max(float(np.abs(sound).max()) for sound in sounds))
    for content, sound in zip(sources(render_report(louder), "audio/flac"), sounds, strict=True):
        decoded, rate = soundfile.read(io.BytesIO(content), always_2d=True)
        assert rate == 44100
        assert np.abs(decoded.T - gain * sound).max() < 1.6 / 32768


def test_pictures_decode_and_have_words_beside_them(page: str) -> None:
    assert all(content.startswith(b"\x89PNG") for content in sources(page, "image/png"))
    for tag, attributes in outline(page).tags:
        assert tag != "img" or attributes["alt"]
        assert tag != "svg" or (attributes["role"] == "img" and attributes["aria-label"])


def test_names_from_outside_are_only_ever_text() -> None:
    match = make_match(candidates=1, source=f"sounds/{HOSTILE}")
    match = replace(match, target=replace(match.target, remarks=(HOSTILE,)), versions={HOSTILE: HOSTILE})
    page = render_report(match, command=HOSTILE)
    parsed = outline(page)
    assert "<script>alert" not in page
    assert sum(tag == "script" for tag, _ in parsed.tags) == 1
    assert HOSTILE in parsed.text
    assert f"<title>{html.escape(HOSTILE)} – wav2patch</title>" in page


def test_the_same_match_gives_the_same_bytes(match: Match, page: str) -> None:
    assert render_report(match) == page == render_report(make_match())


def test_the_page_is_small() -> None:
    match = make_match(channels=2)
    noise = 0.3 * np.random.default_rng([9, 1]).standard_normal((2, 4 * 44100)).astype(np.float32)
    long = [replace(candidate, audio=noise[:1]) for candidate in match.candidates]
    match = replace(match, target=replace(match.target, audio=noise), candidates=tuple(long))
    # White noise in stereo is as large as audio gets; tones take a third of it.
    assert len(render_report(match)) < 5_000_000


def test_every_metric_every_setting_and_every_knob_is_there(match: Match, page: str) -> None:
    text = " ".join(outline(page).text)
    for metric in PANEL:
        assert metric.label in text
        assert metric.explanation in text
    space, patch = match.synth.space, match.best.patch
    for parameter, value in zip(space.parameters, patch, strict=True):
        row = f'scope="row"[^>]*>{re.escape(parameter.label)}</th><td[^>]*>{re.escape(parameter.text(value))}</td>'
        assert re.search(row, page), parameter.name
    assert page.count('title="not heard"') == sum(int((~space.active(c.patch)).sum()) for c in match.candidates)
    assert "Operator 1 output level" in text
    assert all(step in text for step in match.synth.loading_instructions())


def test_a_wrong_octave_is_said_at_the_top(match: Match) -> None:
    best = replace(match.best, panel={**match.best.panel, "f0": -1200.0})
    text = outline(render_report(replace(match, candidates=(best, *match.candidates[1:])))).text
    top = " ".join(text[: text.index("Your preset")])
    assert "It sounds an octave too low." in top


def test_a_sound_without_pitch_is_not_said_to_be_out_of_tune() -> None:
    text = " ".join(outline(render_report(make_match(candidates=1, frequency=None))).text)
    assert "the recording has no clear pitch" in text
    assert "in tune" not in text


def test_silence_is_called_silence(match: Match) -> None:
    silent = replace(
        match.best, audio=np.zeros_like(match.best.audio), panel={**match.best.panel, "loudness": -56.0, "f0": None}
    )
    page = render_report(replace(match, candidates=(silent,)))
    assert "This patch is next to silent." in page
    assert "Waveform of candidate_1: silence" in page


def test_what_the_search_was_like_is_told_honestly(match: Match, page: str) -> None:
    assert "3,000 patches" in page
    assert "stopped the search" not in page
    assert "Skipped 0.25 s before the note." in page
    early = replace(match, stopped=True, failures=3, skipped=2, limit_seconds=60.0, improvements=(), influences=())
    text = " ".join(outline(render_report(early)).text)
    assert "You stopped the search" in text
    assert "3 renders failed" in text
    assert "2 patches crashed or hung the plug-in twice" in text
    assert "depends on the computer" in text


def test_the_command_repeats_the_match(match: Match) -> None:
    assert repeat_command(match) == (
        "wav2patch match sounds/bell.wav --synth dexed --note 60 --velocity 100 --candidates 3 --renders 3000 --seed 7"
    )
    spaced = replace(match, target=replace(match.target, source="my bell.wav"), limit_renders=None, limit_seconds=90.0)
    assert "'my bell.wav'" in repeat_command(spaced)
    assert "--budget 90s" in repeat_command(spaced)
    assert "wav2patch match other.wav" in render_report(match, command="wav2patch match other.wav")


def test_writing(match: Match, page: str, tmp_path: Path) -> None:
    write_report(match, tmp_path / "new" / "report.html")
    assert (tmp_path / "new" / "report.html").read_text(encoding="utf-8") == page
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["report.html"]


def test_elements_escape_text_and_attributes_but_not_markup() -> None:
    inner = element("b", "<i>")
    assert inner == "<b>&lt;i&gt;</b>"
    assert element("p", inner, "&", None, class_='"', hidden=True, title=None) == (
        '<p class="&quot;" hidden><b>&lt;i&gt;</b>&amp;</p>'
    )
    assert isinstance(inner, Markup)
