import pytest
from hypothesis import given
from hypothesis import strategies as st

from wav2patch.errors import UserError
from wav2patch.notes import Note, hz_to_midi, midi_to_hz, parse_pitch, pitch_name


@given(st.integers(0, 127))
def test_every_pitch_reads_back_from_its_name_and_number(pitch: int) -> None:
    assert parse_pitch(pitch_name(pitch)) == pitch
    assert parse_pitch(str(pitch)) == pitch


@pytest.mark.parametrize(("text", "pitch"), [("C4", 60), ("a4", 69), ("F#2", 42), ("Bb3", 58), ("C-1", 0), ("G9", 127)])
def test_note_names(text: str, pitch: int) -> None:
    assert parse_pitch(text) == pitch


@pytest.mark.parametrize("text", ["", "H4", "C", "128", "-1", "4C", "C10", "auto", "60.5"])
def test_what_is_not_a_note_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is not a note"):
        parse_pitch(text)


@given(st.floats(1.0, 20000.0))
def test_frequency_and_midi_number_are_inverse(frequency: float) -> None:
    assert midi_to_hz(hz_to_midi(frequency)) == pytest.approx(frequency)


@pytest.mark.parametrize(
    "fields",
    [
        {"pitch": 60.5},
        {"pitch": 128},
        {"pitch": -1},
        {"velocity": 0},
        {"onset": -0.1},
        {"duration": 0.0},
        {"duration": float("nan")},
    ],
)
def test_a_note_out_of_range_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="note"):
        Note(**fields)  # type: ignore[arg-type]
