"""Numbers as a journal prints them."""

import math

import pytest

from easitrace.report.style import Style


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0.0004, "< .001"),
        (0.00349, ".003"),
        (0.0056, ".006"),
        (0.049, ".049"),
        (0.0512, ".051"),
        (0.0999, ".10"),
        (0.3449, ".34"),
        (0.9995, "> .999"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_p_values(value: float | None, printed: str) -> None:
    assert Style().p(value) == printed


def test_p_is_never_printed_as_zero_or_one() -> None:
    for exponent in range(1, 300):
        assert Style().p(10.0**-exponent).strip("<> .0") != ""
    assert Style(p_leading_zero=True).p(1e-9) == "< 0.001"
    assert Style(p_leading_zero=True, decimal=",").p(0.012) == "0,012"


@pytest.mark.parametrize(
    ("value", "printed"),
    [(12.84, "12.8"), (-0.04, "0.0"), (-6.25, "−6.3"), (-1.95, "−2.0"), (0.05, "0.1"), (math.inf, "–"), (None, "–")],
)
def test_numbers(value: float | None, printed: str) -> None:
    assert Style().number(value) == printed


def test_counts_never_divide_by_nothing() -> None:
    assert Style().count(7, 20) == "7/20 (35%)"
    assert Style().count(0, 0) == "0/0"


def test_a_sentence_is_filled_by_named_formats() -> None:
    values = {"start": 12.8, "change": -25.04, "p": 0.0031, "n": 18, "share": 0.36, "visit": "week 12"}
    template = "{start} at start, {change:.2f} at {visit} ({p:p}, n = {n:d}, {share:%})"
    assert Style().fill(template, values) == "12.8 at start, −25.04 at week 12 (P = .003, n = 18, 36%)"
    assert Style(decimal=",", digits=2).fill("{start}", values) == "12,80"
    assert Style().fill("{p:p}", {"p": 1e-5}) == "P < .001"


def test_a_value_not_given_is_refused() -> None:
    with pytest.raises(KeyError):
        Style().fill("{n}", {})
