from collections.abc import Callable
from dataclasses import replace

from toy_plugin import LEVEL_1

from wav2patch.drafting.bench import Bench
from wav2patch.drafting.raw import Raw
from wav2patch.drafting.tuning import IN_TUNE, in_tune
from wav2patch.notes import Note
from wav2patch.parameters import Continuous
from wav2patch.rendering.base import Sound

LONG = Sound(Note(60, 100, 0.0, 0.6), 0.7, 22050)
Place = Callable[..., Bench]


def test_a_default_in_tune_stays(raw: Raw, place: Place) -> None:
    assert in_tune(raw.spec, place(raw.spec, (), LONG)) == raw.spec


def test_a_default_an_octave_low_is_brought_in_tune(raw: Raw, place: Place) -> None:
    octave = replace(raw.spec.knobs[0], parameter=Continuous("octave"), index=20, positions=(), host_name="Octave")
    low = replace(raw.spec, knobs=(*raw.spec.knobs, octave))
    bench = place(low, ("low",), LONG)
    before, after = low.space.default, in_tune(low, bench).space.default
    off_before, off_after = bench.off_key([before, after])
    assert off_before is not None
    assert off_after is not None
    assert abs(off_before + 1200) < IN_TUNE
    assert abs(off_after) < IN_TUNE
    assert [name for name, a, b in zip(low.space.names, before, after, strict=True) if a != b] == ["octave"]


def test_what_cannot_be_tuned_stays(raw: Raw, place: Place) -> None:
    assert in_tune(raw.spec, place(raw.spec, ("low",), LONG)) == raw.spec
    level = next(knob for knob in raw.spec.knobs if knob.index == LEVEL_1)
    assert level in in_tune(raw.spec, place(raw.spec, ("low",), LONG)).knobs
