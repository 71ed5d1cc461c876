import pytest
from hypothesis import given
from hypothesis import strategies as st

from wav2patch.errors import UserError
from wav2patch.spelling import read_number, read_options, spell


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_the_same(value: float) -> None:
    assert read_number(spell(value)) == value


@pytest.mark.parametrize(("value", "text"), [(60, "60"), (0.1, "0.1"), (-2.5, "-2.5"), (0, "0"), (1e-5, "1e-05")])
def test_numbers_are_short(value: float, text: str) -> None:
    assert spell(value) == text


@pytest.mark.parametrize("text", ["", "nan", "inf", "-inf", "1e999", "1_000", "C4", "0x10", "1,5"])
def test_other_texts_are_no_numbers(text: str) -> None:
    assert read_number(text) is None


def test_options_are_read_by_their_names() -> None:
    assert read_options([" a = 1", "b=x=y"], ("b", "a"), "thing") == {"a": "1", "b": "x=y"}


@pytest.mark.parametrize(
    ("texts", "allowed", "message"),
    [
        (["c=1"], ("a", "b"), r"^thing takes no 'c=1': its options are a=…, b=…\.$"),
        (["a"], ("a",), r"^thing takes no 'a': its options are a=…\.$"),
        (["a=1"], (), r"^thing takes no 'a=1': it takes no options\.$"),
        (["a=1", "a=2"], ("a",), r"^thing takes a once, not twice\.$"),
    ],
)
def test_options_that_there_are_not_are_refused(texts: list[str], allowed: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_options(texts, allowed, "thing")
