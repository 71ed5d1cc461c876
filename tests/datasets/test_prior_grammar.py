"""Priors in words, as text alone."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wav2patch.datasets.recipes.prior_grammar import Term, parse, quoted, unparse
from wav2patch.errors import UserError

ODD = st.text(st.sampled_from(" +()=\",.:~/\\ab1\n\t'é"), min_size=1, max_size=14)
PATHS = st.one_of(st.none(), st.text(min_size=1), ODD)
OPTIONS = st.lists(st.from_regex(r"[a-z]+=[a-z0-9.]*", fullmatch=True), max_size=3).map(tuple)
TERMS = st.builds(
    Term,
    kind=st.from_regex(r"[a-z_]+", fullmatch=True),
    path=PATHS,
    options=OPTIONS,
    weight=st.floats(1e-300, 1e300),
)


@given(st.lists(TERMS, min_size=2, max_size=4).map(tuple))
def test_terms_are_read_back_from_their_words(terms: tuple[Term, ...]) -> None:
    assert parse(unparse(terms)) == terms


@given(TERMS)
def test_a_prior_by_itself_has_no_weight(term: Term) -> None:
    (read,) = parse(unparse((term,)))
    assert (read.kind, read.path, read.options, read.weight) == (term.kind, term.path, term.options, 1.0)


USUAL = [
    "~/dx7",
    "/home/me/Vital/User Presets/Bass (old)",
    "banks/rom1a.v2.syx",
    r"C:\Users\me\DX7 presets",
    "a+b",
    "c++",
    "C+1",
    "drums & bass, part 1",
    "50% (final) (2)",
    "what's new",
    "0123456789abcdef",
]


@pytest.mark.parametrize("path", USUAL)
def test_usual_paths_need_no_quotes(path: str) -> None:
    assert parse(f"presets:{path}") == (Term("presets", path),)
    assert parse(f"2 mutations:{path}(strength=0.05, share=1) + uniform") == (
        Term("mutations", path, ("strength=0.05", "share=1"), 2.0),
        Term("uniform"),
    )


@pytest.mark.parametrize(
    "path", ["a + b", "bank (a=1)", '"quoted"', " led by a space", "trailing ", "plus +", "+ b", ""]
)
def test_odd_paths_take_quotes(path: str) -> None:
    assert quoted(path).startswith('"')
    assert parse(f"0.5 presets:{quoted(path)}(strength=1) + synth") == (
        Term("presets", path, ("strength=1",), 0.5),
        Term("synth"),
    )


@pytest.mark.parametrize(
    ("words", "terms"),
    [
        ("synth", (Term("synth"),)),
        ("  synth  ", (Term("synth"),)),
        ("3 synth", (Term("synth", weight=3.0),)),
        (
            "0.5 synth + 0.3 mutations:~/dx7(strength=0.05) + .2 uniform",
            (
                Term("synth", weight=0.5),
                Term("mutations", "~/dx7", ("strength=0.05",), 0.3),
                Term("uniform", weight=0.2),
            ),
        ),
        ("synth\n  + 1e-3 presets: ~/my presets\n", (Term("synth"), Term("presets", "~/my presets", weight=1e-3))),
        ('presets:"a + b" + presets:c', (Term("presets", "a + b"), Term("presets", "c"))),
        ("presets:a + b", (Term("presets", "a"), Term("b"))),
        ("presets:a (b) (share=1)", (Term("presets", "a (b)", ("share=1",)),)),
        ("presets:a(strength 1)", (Term("presets", "a(strength 1)"),)),
        ("synth(a=1)", (Term("synth", options=("a=1",)),)),
    ],
)
def test_words_are_read(words: str, terms: tuple[Term, ...]) -> None:
    assert parse(words) == terms


@pytest.mark.parametrize(
    "words",
    ["", "  ", "+", "synth +", "synth + ", "synth + + uniform", "synth uniform", "Synth", "0.5", "x synth", "()",
     'presets:"a', 'presets:"a + b', 'presets:"a"b', "synth()", "0.5synth", "synth+uniform"],
)  # fmt: skip
def test_words_of_another_form_are_refused_and_quoting_is_told(words: str) -> None:
    with pytest.raises(UserError, match=r"is no prior: priors are written as in .* goes in double quotes") as caught:
        parse(words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("weight", ["0", "-1", "1e999", "1_0", "0.5.5", "-0", "1%"])
def test_weights_are_numbers_above_0(weight: str) -> None:
    with pytest.raises(UserError, match="the weight of a prior is a number above 0"):
        parse(f"{weight} synth + uniform")


@given(st.text(st.sampled_from(' +()=",.:~/ab1\nsynthpre'), max_size=40))
def test_any_text_is_read_or_refused(words: str) -> None:
    with contextlib.suppress(UserError):
        terms = parse(words)
        alone = tuple(replace(term, weight=1.0) for term in terms[:1])
        assert parse(unparse(terms)) == (terms if len(terms) > 1 else alone)
