"""Impossible figures are named before any search; possible ones never are."""

import itertools
import math
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easitrace.errors import CODES, DataError
from easitrace.paired import QuartileMethod
from easitrace.published.possible import check_possible, quantile_position
from easitrace.published.summary import Summary


def table(**changes: Any) -> dict[str, Any]:
    """A possible table; `changes` replace its entries."""
    first = {"week": 0, "n": 20, "median": "12.8", "q1": "8.0", "q3": "20.1"}
    last = {"week": 12, "n": 16, "mean": "6.2", "sd": "5.0"}
    whole: dict[str, Any] = {
        "study": "odd",
        "source": "",
        "seed": 1,
        "patients": 20,
        "visits": {"start": first, "end": last},
        "tests": [{"visit": "end", "against": "start", "p": "= .003"}],
        "stopped": {"before": "end", "n": 3, "reasons": {"inefficacy": 2, "other": 1}},
        "in_follow_up": {"before": "end", "n": 1},
        "categories": {"sex": {"label": "sex", "levels": {"female": 9, "male": 11}, "percent": {"male": "55 %"}}},
        "responses": [{"criterion": "easi50", "visit": "end", "count": 5, "percent": "31 %"}],
    }
    return whole | changes


def visits(**end: Any) -> dict[str, Any]:
    return {"visits": {"start": {"week": 0, "n": 20}, "end": {"week": 12, "n": 16, **end}}}


def check(content: dict[str, Any]) -> None:
    check_possible(Summary.model_validate(content))


IMPOSSIBLE = [
    ("median above q3", visits(median="9.0", q3="8.0"), "E281 EASI, end: median: 9.0 is above the q3 8.0"),
    ("median below q1", visits(median="7.0", q1="8.0"), "E281 EASI, end: q1: 8.0 is above the median 7.0"),
    ("median above the range", visits(median="72.6"), "E281 EASI, end: median: 72.6 is outside 0 to 72"),
    ("median off the grid", visits(median="9.03"), "E281 EASI, end: median: 9.03 is no median of 16 scores"),
    ("mean off the grid", visits(mean="6.232"), r"E282 EASI, end: mean: 6.232 is no mean of 16 scores .* \(GRIM\)"),
    ("SD above any", visits(mean="36.0", sd="40.1"), r"E282 EASI, end: sd: 40.1 is no SD .* \(GRIMMER\)"),
    ("SD below any", visits(mean="6.23", sd="0.01"), r"E282 EASI, end: sd: 0.01 is no SD .* \(GRIMMER\)"),
    ("SD alone", visits(sd="37.3"), "E282 EASI, end: sd: 37.3 is above 37.18, the largest SD of 16 scores"),
    (
        "P too small",
        {"tests": [{"visit": "end", "against": "start", "p": "= .00002"}]},
        r"E283 EASI, end v start: P \(Wilcoxon signed-rank\): = .00002 is out of reach: with 16 pairs",
    ),
    (
        "P above 1",
        {"tests": [{"visit": "end", "against": "start", "p": "= 1.3"}]},
        r"E283 EASI, end v start: P .* = 1.3 is out of reach",
    ),
    (
        "more responders than seen",
        {"responses": [{"criterion": "easi50", "visit": "end", "count": 17}]},
        "E284 easi50 at end: n: 17 of 16 patients",
    ),
    (
        "percentage of another count",
        {"categories": {"sex": {"label": "sex", "levels": {"female": 9, "male": 11}, "percent": {"male": "56 %"}}}},
        "E285 sex: male, %: 56 % is printed, 11/20 is 55 %",
    ),
    (
        "percentage without a count",
        {"categories": {"sex": {"label": "sex", "levels": {"female": 9, "male": 11}, "percent": {"other": "5 %"}}}},
        "E285 sex: other, %: the level has no count",
    ),
    (
        "response percentage",
        {"responses": [{"criterion": "easi50", "visit": "end", "count": 5, "percent": "25 %"}]},
        "E285 easi50 at end: %: 25 % is printed, 5/16 is 31.25 %",
    ),
    (
        "levels that do not add up",
        {"categories": {"sex": {"label": "sex", "levels": {"female": 9, "male": 12}}}},
        "E286 sex: the levels add up to 21, not to 20 patients",
    ),
    (
        "reasons that do not add up",
        {"stopped": {"before": "end", "n": 3, "reasons": {"inefficacy": 2, "other": 2}}},
        "E286 stopped before end: 3 patients, but the reasons add up to 4",
    ),
    (
        "more seen than left",
        {"in_follow_up": {"before": "end", "n": 2}},
        "E286 EASI, end: n: 16 seen and 5 stopped or in follow-up are more than 20 patients",
    ),
    ("nobody seen", visits(n=0, median="3.0"), "E281 EASI, end: median: nobody is seen there"),
]


@pytest.mark.parametrize(
    ("changes", "message"), [case[1:] for case in IMPOSSIBLE], ids=[case[0] for case in IMPOSSIBLE]
)
def test_an_impossible_figure_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as raised:
        check(table(**{"tests": [], "responses": [], **changes}))
    assert len(raised.value.problems) == 1
    assert raised.value.problems[0].code in CODES


def test_the_same_table_without_the_fault_is_possible() -> None:
    check(table())


@given(st.lists(st.integers(0, 24), min_size=2, max_size=40), st.integers(0, 3))
def test_printed_figures_of_real_scores_are_possible(steps: list[int], digits: int) -> None:
    """Whatever was measured and rounded is never refused."""
    scores = np.array(steps) / 10
    cuts = np.quantile(scores, [0.25, 0.5, 0.75])
    figures = {"q1": cuts[0], "median": cuts[1], "q3": cuts[2], "mean": scores.mean(), "sd": scores.std(ddof=1)}
    printed = {name: f"{value:.{digits}f}" for name, value in figures.items()}
    entry = {"week": 0, "n": len(steps), **printed}
    check({"study": "real", "source": "", "seed": 1, "patients": len(steps), "visits": {"start": entry}})


@pytest.mark.parametrize("n", [2, 3, 4])
def test_means_and_sds_of_few_scores_are_exactly_those_that_exist(n: int) -> None:
    """All samples of n scores 0.0 to 0.6 in tenths: a mean is accepted if and only if some sample prints it so."""
    samples = np.array(list(itertools.combinations_with_replacement(range(7), n))) / 10
    instrument = {"name": "small", "minimum": 0, "maximum": 0.6, "grid": 0.1, "better": "lower"}
    base = {"study": "s", "source": "", "seed": 1, "patients": n, "outcome": "small", "instrument": instrument}

    def accepted(**figures: str) -> bool:
        try:
            check(base | {"visits": {"start": {"week": 0, "n": n, **figures}}})
        except DataError:
            return False
        return True

    means = samples.mean(axis=1)
    for hundredths in range(61):
        shown = abs(means * 100 - hundredths) <= 0.5 + 1e-7
        mean = f"{hundredths / 100:.2f}"
        assert accepted(mean=mean) == bool(shown.any()), mean
        if shown.any():
            sds = samples[shown].std(axis=1, ddof=1)
            for sd in np.unique((sds * 100).round()):
                assert accepted(mean=mean, sd=f"{sd / 100:.2f}")
            assert not accepted(mean=mean, sd=f"{sds.max() + 0.02:.2f}")
            if sds.min() > 0.02:
                assert not accepted(mean=mean, sd=f"{sds.min() - 0.02:.2f}")


@given(
    st.lists(st.integers(0, 720), min_size=1, max_size=60),
    st.sampled_from(get_args(QuartileMethod)),
    st.sampled_from(["q1", "median", "q3"]),
)
def test_position_of_a_quantile_is_numpys(steps: list[int], method: QuartileMethod, statistic: str) -> None:
    below, share = quantile_position(statistic, len(steps), method)
    ascending = sorted(steps)
    above = ascending[min(below + 1, len(steps) - 1)]
    expected = np.quantile(steps, {"q1": 0.25, "median": 0.5, "q3": 0.75}[statistic], method=method)
    assert math.isclose((1 - share) * ascending[below] + share * above, expected, abs_tol=1e-9)


@pytest.mark.parametrize(
    ("n", "mean", "sd", "nearest"),
    [
        (2, "2.0", "1.00", "1.41"),  # 1 and 3; a sum of 4 has an even sum of squares, an SD of 1 needs 9
        (10, "0.5", "0.24", "0.53"),  # five 0 and five 1 are as level as ten whole numbers with this sum can be
        (4, "5.0", "2.58", "2.00"),  # a sum of 20 out of 24: two or more stand at 6
    ],
)
def test_sds_that_only_whole_numbers_rule_out(n: int, mean: str, sd: str, nearest: str) -> None:
    instrument = {"name": "small", "minimum": 0, "maximum": 6, "grid": 1, "better": "lower"}
    base = {"study": "s", "source": "", "seed": 1, "patients": n, "outcome": "small", "instrument": instrument}
    check(base | {"visits": {"start": {"week": 0, "n": n, "mean": mean, "sd": nearest}}})
    with pytest.raises(DataError, match=f"E282 small, start: sd: {sd} is no SD"):
        check(base | {"visits": {"start": {"week": 0, "n": n, "mean": mean, "sd": sd}}})
