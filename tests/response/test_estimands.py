"""Which scores count under which estimand."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from small_cohorts import cohort_of, seen, stopped, waiting

from easitrace.cohort.cohort import Cohort
from easitrace.errors import ParameterError
from easitrace.response.estimands import recorded_under, under_estimand

PATIENTS = {
    "1": seen(20, 8, None, 6),
    "2": stopped(6, "inefficacy", 20, 15, 9, None),
    "3": stopped(6, "side effects", 18, None, None, None),
    "4": stopped(6, "other", 16, 15, 9, None),
    "5": waiting(14, 15, None, None),
}
NA = np.nan


def scores(cohort: Cohort) -> list[list[float]]:
    return cohort.wide().to_numpy().tolist()


@pytest.mark.parametrize(
    ("estimand", "second", "third", "fourth"),
    [
        ("treatment-policy", [20, 15, 9, NA], [18, NA, NA, NA], [16, 15, 9, NA]),
        ("while-on-treatment", [20, 15, NA, NA], [18, NA, NA, NA], [16, 15, NA, NA]),
        ("hypothetical", [20, 15, NA, NA], [18, NA, NA, NA], [16, 15, NA, NA]),
        ("composite", [20, 15, 20, 20], [18, NA, 18, 18], [16, 15, NA, NA]),
    ],
)
def test_scores_that_count(estimand: str, second: list, third: list, fourth: list) -> None:
    found = under_estimand(cohort_of(PATIENTS), estimand)
    np.testing.assert_array_equal(scores(found), [[20, 8, NA, 6], second, third, fourth, [14, 15, NA, NA]])


def test_composite_sets_nothing_back_in_what_was_recorded() -> None:
    cohort = cohort_of(PATIENTS)
    np.testing.assert_array_equal(
        scores(recorded_under(cohort, "composite")), scores(under_estimand(cohort, "hypothetical"))
    )


def test_composite_adds_the_rows_of_visits_nobody_recorded() -> None:
    cohort = cohort_of(PATIENTS)
    without = cohort.visits[cohort.visits["easi"].notna()]
    thin = Cohort(**{**vars(cohort), "visits": without.reset_index(drop=True)})
    np.testing.assert_array_equal(
        scores(under_estimand(thin, "composite")), scores(under_estimand(cohort, "composite"))
    )
    found = under_estimand(thin, "composite").visits
    assert list(found.columns) == list(cohort.visits.columns)
    assert (found.dtypes == cohort.visits.dtypes).all()
    assert not found.duplicated(["patient", "week"]).any()
    pd.testing.assert_frame_equal(found, found.sort_values(["patient", "week"], ignore_index=True))


def test_composite_sets_every_instrument_back() -> None:
    patient = {**stopped(6, "inefficacy", 20, 15, 9, None), "dlqi": (12, 8, 4, None)}
    found = under_estimand(cohort_of({"1": patient}), "composite")
    assert found.wide("dlqi").to_numpy().tolist() == [[12, 8, 12, 12]]


def test_the_cohort_given_is_not_changed() -> None:
    cohort = cohort_of(PATIENTS)
    before = cohort.visits.copy()
    under_estimand(cohort, "composite")
    pd.testing.assert_frame_equal(cohort.visits, before)


def test_a_cohort_without_stops_is_the_same_under_all() -> None:
    cohort = cohort_of({"1": seen(20, 8, None, 6), "2": waiting(14, 15, None, None)})
    for estimand in ("while-on-treatment", "composite", "hypothetical"):
        pd.testing.assert_frame_equal(under_estimand(cohort, estimand).visits, cohort.visits)


def test_an_unknown_estimand_is_refused() -> None:
    with pytest.raises(ParameterError, match="treatment-policy"):
        under_estimand(cohort_of(PATIENTS), "per-protocol")


def test_rescue_medication_ends_the_scores_of_the_hypothetical_estimand_only() -> None:
    """Days 0, 28, 84, 168; the day of the rescue itself still counts, and so does the baseline."""
    plain = cohort_of({"1": seen(20, 15, 9, 6), "2": seen(18, 12, 8, 7), "3": stopped(6, "other", 16, 15, 9, None)})
    days = pd.Series({"1": 84.0, "2": 0.0, "3": 30.0})
    rescued = dataclasses.replace(
        plain, patients=plain.patients.assign(rescue_day=plain.patients["patient"].map(days).to_numpy())
    )
    for estimand in ("treatment-policy", "while-on-treatment", "composite"):
        assert scores(under_estimand(rescued, estimand)) == pytest.approx(
            np.array(scores(under_estimand(plain, estimand))), nan_ok=True
        )
    for of in (under_estimand, recorded_under):
        np.testing.assert_array_equal(
            scores(of(rescued, "hypothetical")), [[20, 15, 9, NA], [18, NA, NA, NA], [16, 15, NA, NA]]
        )
    later = rescued.visits["day"].where(rescued.visits["day"] != 84, 85)
    moved = dataclasses.replace(rescued, visits=rescued.visits.assign(day=later))
    np.testing.assert_array_equal(scores(under_estimand(moved, "hypothetical"))[0], [20, 15, NA, NA])
