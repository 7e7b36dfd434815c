"""The observed course and paired changes against numbers worked out elsewhere."""

import math

import numpy as np
import pytest
from small_cohorts import cohort_of, seen, stopped

from easitrace.paired import quartiles as cut
from easitrace.response.course import observed_course, paired_changes

# Hollander & Wolfe (1999), example 3.1, Hamilton depression scale factor IV of nine patients at two visits:
# one-sided exact P = .020 (T+ = 5 for falls), shift -0.46, R's wilcox.test(conf.int = TRUE): -0.786 to -0.010.
DEPRESSION = [
    (1.83, 0.878), (0.50, 0.647), (1.62, 0.598), (2.48, 2.05), (1.68, 1.06), (1.88, 1.29), (1.55, 1.06),
    (3.06, 3.14), (1.30, 1.29),
]  # fmt: skip


def test_paired_change_is_that_of_the_textbook() -> None:
    cohort = cohort_of({f"{i}": seen(*pair) for i, pair in enumerate(DEPRESSION)}, weeks=(0, 4))
    row = paired_changes(cohort).iloc[0]
    assert (row["name"], row["n_pairs"], row["statistic"]) == ("week 4 v baseline", 9, 5)
    assert row["p"] == pytest.approx(0.0390625)
    assert row["shift"] == pytest.approx(-0.46)
    assert (row["lower"], row["upper"]) == (pytest.approx(-0.786), pytest.approx(-0.010))
    assert (row["median_from"], row["median_to"]) == (1.68, 1.06)


PATIENTS = {
    "1": seen(10, 5, 4, None),
    "2": seen(20, 15, None, None),
    "3": seen(30, 12, 18, None),
    "4": seen(40, None, 30, None),
    "5": seen(0, 1, 2, None),
    "6": seen(None, 7, 8, None),
}


def test_pairs_are_those_seen_at_both_visits() -> None:
    table = paired_changes(cohort_of(PATIENTS)).set_index("name")
    assert table["n_pairs"].tolist() == [4, 4, 0, 4, 0, 0]
    assert table.loc["week 12 v week 4", ["median_from", "median_to"]].tolist() == [6, 6]
    assert table.loc["week 4 v baseline", ["median_from", "median_to"]].tolist() == [15, 8.5]


def test_where_no_test_is_possible_the_table_says_so() -> None:
    table = paired_changes(cohort_of({"1": seen(10, 10, None, None), "2": seen(8, 8, None, None)})).set_index("name")
    same, none = table.loc["week 4 v baseline"], table.loc["week 24 v baseline"]
    assert same["method"] == "no test: none of 2 pairs differs" and math.isnan(same["p"])
    assert same["shift"] == 0
    assert math.isnan(none["shift"]) and math.isnan(none["p"])


def test_few_pairs_do_not_reach_the_level() -> None:
    table = paired_changes(cohort_of(PATIENTS), level=0.95)
    assert table["achieved"].iloc[0] == pytest.approx(1 - 2 / 2**4)


def test_summary_by_visit() -> None:
    row = observed_course(cohort_of(PATIENTS)).iloc[0]
    assert row[["visit", "week", "n", "missing"]].tolist() == ["baseline", 0, 5, 1]
    assert row[["median", "q1", "q3", "mean", "minimum", "maximum"]].tolist() == [20, 10, 30, 20, 0, 40]
    assert row["sd"] == pytest.approx(math.sqrt(250))


def test_the_two_relative_changes_differ_and_each_is_what_it_says() -> None:
    row = observed_course(cohort_of(PATIENTS)).set_index("week").loc[12]
    assert row["change_of_median"] == pytest.approx(100 * (8 / 20 - 1))  # medians of those seen at each visit
    assert row["median_change"] == pytest.approx(-40)  # of -60, -40, -25 %
    assert row["n_change"] == 3  # baseline 0 and baseline missing have no percentage


def test_the_published_cohort_s_ratio_of_medians() -> None:
    medians = {"1": seen(12.8, 6.2, 9.6, None)}
    course = observed_course(cohort_of(medians)).set_index("week")
    assert round(course.loc[4, "change_of_median"], 1) == -51.6
    assert round(course.loc[12, "change_of_median"], 1) == -25.0


@pytest.mark.parametrize("method", ["linear", "weibull", "hazen", "lower"])
def test_the_quartile_definition_is_used(method: str) -> None:
    cohort = cohort_of({f"{i}": seen(float(i), i / 2, 0, 0) for i in range(1, 7)})
    row = observed_course(cohort, quartiles=method).iloc[0]  # type: ignore[arg-type]
    wanted = cut(range(1, 7), method)  # type: ignore[arg-type]
    assert tuple(row[["q1", "median", "q3"]]) == (wanted.lower, wanted.median, wanted.upper)


def random_cohort(n: int = 40):  # type: ignore[no-untyped-def]
    random = np.random.default_rng(7)
    start = random.gamma(3, 6, n).round(1)
    return cohort_of(
        {f"{i:02d}": seen(s, round(s * random.uniform(0.2, 0.9), 1)) for i, s in enumerate(start)}, weeks=(0, 4)
    )


def test_the_seed_makes_the_interval() -> None:
    cohort = random_cohort()
    limits = ["change_lower", "change_upper"]
    one, again, other = (observed_course(cohort, seed=seed)[limits].iloc[1].tolist() for seed in (1, 1, 2))
    assert one == again != other


def test_the_level_widens_the_intervals() -> None:
    cohort = random_cohort()
    narrow, wide = (observed_course(cohort, level=level).iloc[1] for level in (0.8, 0.99))
    for name in ("change", "median_change"):
        assert wide[f"{name}_lower"] < narrow[f"{name}_lower"] < narrow[f"{name}_upper"] < wide[f"{name}_upper"]


def test_the_interval_of_the_median_change_is_the_sign_test_s() -> None:
    changes = [-90, -80, -70, -60, -50, -40, -30, -20, -10, 10]  # n = 10: 2nd and 9th value cover 97.9 %
    cohort = cohort_of({f"{i}": seen(10, 10 + c / 10) for i, c in enumerate(changes)}, weeks=(0, 4))
    row = observed_course(cohort, level=0.95).iloc[1]
    assert (row["median_change_lower"], row["median_change_upper"]) == (pytest.approx(-80), pytest.approx(-10))
    few = cohort_of({f"{i}": seen(10, 10 + c / 10) for i, c in enumerate(changes[:5])}, weeks=(0, 4))
    assert math.isnan(observed_course(few).iloc[1]["median_change_lower"])  # five values cover 93.75 % at most


def test_another_instrument() -> None:
    cohort = cohort_of({"1": {"easi": (10, 5), "dlqi": (12, 3)}, "2": {"easi": (20, 9), "dlqi": (8, 1)}}, weeks=(0, 4))
    assert observed_course(cohort, instrument="dlqi")["median"].tolist() == [10, 2]
    assert paired_changes(cohort, instrument="dlqi")["shift"].tolist() == [-8]


def test_a_visit_nobody_came_to() -> None:
    row = observed_course(cohort_of({"1": seen(10, 5, None, None), "2": stopped(6, "other", 9, 5, None, None)})).iloc[2]
    assert row["n"] == 0
    assert row[["median", "mean", "sd", "change_of_median", "change_lower", "median_change"]].isna().all()
