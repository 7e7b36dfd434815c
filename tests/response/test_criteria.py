"""Criteria: the grammar, exact arithmetic on the whole grid, three-valued logic, reach."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_cohorts import cohort_of, seen

from easitrace import read_cohort
from easitrace.errors import ParameterError
from easitrace.instruments import Instrument
from easitrace.response.criteria import (
    ALREADY_MET,
    NO_BASELINE,
    OUT_OF_REACH,
    ZERO_BASELINE,
    criterion_label,
    met,
    reach,
)
from easitrace.response.expression import Changed, Combined, Percent, Reached, atoms, parse_criterion


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("easi50", "easi50"),
        ("easi<=7", "easi<=7"),
        ("easi <= 7.05", "easi<=7.05"),
        ("drop>=6.6", "easi drop>=6.6"),
        ("itch_nrs drop >= 4", "itch_nrs drop>=4"),
        ("pgad rise>=1", "pgad rise>=1"),
        ("easi75 and itch_nrs<=4 and dlqi<=5", "easi75 and itch_nrs<=4 and dlqi<=5"),
        ("easi50 and (itch_nrs drop>=3 or dlqi drop>=4)", "easi50 and (itch_nrs drop>=3 or dlqi drop>=4)"),
        ("(easi50)", "easi50"),
    ],
)
def test_a_criterion_is_read_and_printed(text: str, printed: str) -> None:
    expression = parse_criterion(text)
    assert str(expression) == printed
    assert parse_criterion(printed) == expression


def test_an_unnamed_change_is_of_the_outcome() -> None:
    assert parse_criterion("drop>=4", "dlqi") == parse_criterion("dlqi drop>=4")


def test_atoms_are_the_single_conditions() -> None:
    expression = parse_criterion("easi50 and (itch_nrs<=4 or dlqi drop>=4)")
    assert isinstance(expression, Combined)
    assert [type(atom) for atom in atoms(expression)] == [Percent, Reached, Changed]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("easi0.75", "did you mean easi75"),
        ("easi.5", "did you mean easi50"),
        ("EASI75", "did you mean easi75"),
        ("easi-50", "did you mean easi50"),
        ("easi 50 %", "did you mean easi50"),
        ("easi<7", "did you mean easi<=7"),
        ("easi=<7", "did you mean easi<=7"),
        ("easi50 and easi75 or easi<=7", "brackets"),
        ("(easi50 and easi75", "not closed"),
        ("easi50)", "not opened"),
        ("easi50 and", "missing"),
        ("and easi50", "missing"),
        ("", "missing"),
        ("easi50 easi75", "write easi75, easi<=7"),
        ("(easi50) easi75", "join"),
        ("easi0", "write easi75"),
        ("easi101", "write easi75"),
        ("easi<=-1", "write easi75"),
        ("easi<=1.1234567", "write easi75"),
        ("easi٥٠", "write easi75"),
        ("(" * 300, "at most 200"),
    ],
)
def test_what_is_no_criterion_is_refused_with_the_nearest(text: str, remedy: str) -> None:
    with pytest.raises(ParameterError, match="not a response criterion") as refused:
        parse_criterion(text)
    assert remedy in str(refused.value)


def grid(percent: int) -> tuple[pd.Series, list[bool]]:
    """Every pair of EASI scores on a 0.1 grid around the border of a percentage, and the answer in fractions."""
    pairs = [
        (b, f)
        for b in range(1, 721)
        for f in {b * (100 - percent) // 100 + shift for shift in (-1, 0, 1)}
        if 0 <= f <= 720
    ]
    cohort = cohort_of({f"{i:05d}": seen(b / 10, f / 10) for i, (b, f) in enumerate(pairs)}, weeks=(0, 12))
    return met(cohort, f"easi{percent}")[12], [Fraction(b - f, b) >= Fraction(percent, 100) for b, f in pairs]


@pytest.mark.parametrize("percent", [50, 75, 90])
def test_percentages_are_exact_on_the_whole_grid(percent: int) -> None:
    answers, truth = grid(percent)
    assert answers.tolist() == truth


def test_a_drop_is_exact_on_the_whole_grid() -> None:
    pairs = [(b, b - 66 + shift) for b in range(68, 721) for shift in (-1, 0, 1)]
    cohort = cohort_of({f"{i:05d}": seen(b / 10, f / 10) for i, (b, f) in enumerate(pairs)}, weeks=(0, 12))
    assert met(cohort, "drop>=6.6")[12].tolist() == [b - f >= 66 for b, f in pairs]


NA = None


@pytest.mark.parametrize(
    ("easi", "itch", "both", "either"),
    [
        ((20, 5), (8, 3), True, True),
        ((20, 5), (8, 7), False, True),
        ((20, 15), (8, 7), False, False),
        ((20, 5), (8, None), NA, True),
        ((20, 15), (8, None), False, NA),
        ((20, None), (8, None), NA, NA),
        ((20, None), (8, 3), NA, True),
    ],
)
def test_three_valued_logic(easi: tuple, itch: tuple, both: bool | None, either: bool | None) -> None:
    cohort = cohort_of({"1": {"easi": easi, "itch_nrs": itch}}, weeks=(0, 12))
    answers = [met(cohort, f"easi50 {word} itch_nrs<=4")[12].iloc[0] for word in ("and", "or")]
    assert [None if pd.isna(answer) else bool(answer) for answer in answers] == [both, either]


def test_a_missing_score_is_never_a_no() -> None:
    cohort = cohort_of({"1": seen(20, None, None, None)})
    for criterion in ("easi50", "easi<=7", "drop>=6.6", "easi50 or easi<=7", "easi50 and drop>=6.6"):
        assert met(cohort, criterion).isna().all(axis=None)


@pytest.mark.parametrize(
    ("baseline", "criterion", "note"),
    [
        (20, "easi50", ""),
        (None, "easi50", NO_BASELINE),
        (0, "easi50", ZERO_BASELINE),
        (6.5, "drop>=6.6", OUT_OF_REACH),
        (6.6, "drop>=6.6", ""),
        (7, "easi<=7", ALREADY_MET),
        (7.1, "easi<=7", ""),
        (5, "easi50 or drop>=6.6", ""),
        (5, "easi50 and drop>=6.6", OUT_OF_REACH),
        (0, "easi50 or easi<=7", ALREADY_MET),
    ],
)
def test_reach(baseline: float | None, criterion: str, note: str) -> None:
    assert reach(cohort_of({"1": seen(baseline, 20, 20, 20)}), criterion).tolist() == [note]


def test_out_of_reach_is_undefined_not_no() -> None:
    cohort = cohort_of({"1": seen(5, 5, 0, 20), "2": seen(0, 0, 5, 0)})
    assert met(cohort, "drop>=6.6").isna().all(axis=None)
    assert met(cohort, "easi50").loc["2"].isna().all()


def test_what_is_better_when_higher() -> None:
    hand = Instrument("hand", "Hand function", minimum=0, maximum=10, grid=1, better="higher")
    cohort = cohort_of({"1": {"hand": (4, 6, 8, 3)}}, outcome="hand", declared=hand)
    assert met(cohort, "rise>=4").loc["1"].tolist() == [False, True, False]
    assert met(cohort, "hand>=6").loc["1"].tolist() == [True, True, False]
    with pytest.raises(ParameterError, match="change for the worse"):
        met(cohort, "drop>=4")
    with pytest.raises(ParameterError, match="change for the worse"):
        met(cohort, "hand<=4")


tenths = st.integers(0, 720)


@settings(max_examples=200, deadline=None)
@given(baseline=tenths, score=tenths, percent=st.sampled_from([50, 75, 90]), target=st.sampled_from([70, 66]))
def test_against_fractions(baseline: int, score: int, percent: int, target: int) -> None:
    cohort = cohort_of({"1": seen(baseline / 10, score / 10)}, weeks=(0, 12))
    answer = met(cohort, f"easi{percent}")[12].iloc[0]
    if baseline == 0:
        assert pd.isna(answer)
    else:
        assert bool(answer) == (100 * (baseline - score) >= percent * baseline)
    assert bool(met(cohort, f"easi<={target / 10}")[12].iloc[0]) == (score <= target)


def test_answers_are_by_patient_and_week() -> None:
    answers = met(cohort_of({"b": seen(20, 8, 15, np.nan), "a": seen(20, 15, 8, 8)}), "easi50")
    assert answers.index.tolist() == ["a", "b"]
    assert answers.columns.tolist() == [4, 12, 24]
    assert answers.fillna(False).to_numpy().tolist() == [[False, True, True], [True, False, False]]


@pytest.mark.parametrize(
    ("criterion", "printed"),
    [
        ("easi50", "EASI-50"),
        ("easi<=7", "EASI ≤ 7"),
        ("drop>=6.6", "EASI drop ≥ 6.6 points"),
        ("easi75 and dlqi drop>=4", "EASI-75 and DLQI drop ≥ 4 points"),
        ("easi90 or (easi<=3 and dlqi<=1)", "EASI-90 or (EASI ≤ 3 and DLQI ≤ 1)"),
    ],
)
def test_a_criterion_as_a_journal_writes_it(criterion: str, printed: str) -> None:
    assert criterion_label(criterion, read_cohort("baricitinib")) == printed
